package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
	"tinygpt/train"
)

// plotOptimisers draws the mean loss of each optimiser over its mean processor time, the range
// of the seeds as bars, and the floor.
func plotOptimisers(path string, means []optimiserMean) error {
	p := chart.New("small.yaml, trained for 600 steps or more", "seconds of the processor", "bits per byte of held-out text")
	p.Add(plotter.NewGrid())
	longest := 0.0
	for i, name := range optimiserNames {
		var bars chart.Bars
		for _, m := range means {
			if m.Optimiser != name {
				continue
			}
			bars.Add(m.Seconds, m.BitsPerByte, m.BitsPerByte-m.Range.Min, m.Range.Max-m.BitsPerByte)
			longest = max(longest, m.Seconds)
		}
		if len(bars.XYs) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(bars.XYs)
		if err != nil {
			return err
		}
		line.Color, line.Width = chart.Colors[i], vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = chart.Colors[i], draw.CircleGlyph{}, vg.Points(3)
		ranges, err := plotter.NewYErrorBars(bars)
		if err != nil {
			return err
		}
		ranges.Color, ranges.Width = chart.Colors[i], vg.Points(1)
		p.Add(line, dots, ranges)
		p.Legend.Add(map[string]string{train.AdamWName: "AdamW", train.MuonName: "Muon"}[name], line, dots)
	}
	p.X.Max, p.Y.Max = 1.03*p.X.Max, 1.03*p.Y.Max // room for the outermost points
	floor := plotter.XYs{{X: 0, Y: means[0].Floor}, {X: 1.03 * longest, Y: means[0].Floor}}
	if err := chart.Line(p, "floor: the text's entropy", floor, chart.Black, chart.Dashes); err != nil {
		return err
	}
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}
