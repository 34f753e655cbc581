package main

import (
	"fmt"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
	"tinygpt/study/perf"
)

// bandColor is a light chart.Orange.
var bandColor = color.RGBA{253, 232, 170, 255}

// plotGrowth draws for each sweep the time of a step over its size, and below it the ratio
// of measured to predicted time.
func plotGrowth(path string, m perf.Machine, list []*sweep) error {
	rows := make([][]*plot.Plot, 2)
	for i, s := range list {
		time, ratio := sizePlot(s), sizePlot(s)
		time.Y.Scale, time.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(chart.LogTicks)
		ratio.Y.Min, ratio.Y.Max = 0.7, 1.3
		ratio.X.Label.Text = s.What
		if i == 0 {
			time.Title.Text = "A step grows as its operations do"
			time.Y.Label.Text = "ms a step"
			ratio.Y.Label.Text = "measured / counted"
		}
		if i == len(list)-1 {
			time.Title.Text = m.CPU + ", " + strconv.Itoa(m.Threads) + " threads"
		}
		if err := drawSweep(time, s, i == 0, func(p growthPoint) float64 { return p.Ms.Median }, func(p growthPoint) float64 { return p.Predicted }); err != nil {
			return err
		}
		if err := drawSweep(ratio, s, false, growthPoint.ratio, func(growthPoint) float64 { return 1 }); err != nil {
			return err
		}
		rows[0], rows[1] = append(rows[0], time), append(rows[1], ratio)
	}
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, rows...)
}

// sizePlot returns an empty plot over the sizes of a sweep.
func sizePlot(s *sweep) *plot.Plot {
	p := chart.New("", "", "")
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(func(_, _ float64) (ticks []plot.Tick) {
		for _, v := range s.Values {
			ticks = append(ticks, plot.Tick{Value: float64(v), Label: strconv.Itoa(v)})
		}
		return ticks
	})
	p.X.Min, p.X.Max = 0.85*float64(s.Values[0]), 1.18*float64(s.Values[len(s.Values)-1])
	p.Add(plotter.NewGrid())
	return p
}

// drawSweep draws the predicted times with a band of the tolerance, and the measured
// points.
func drawSweep(p *plot.Plot, s *sweep, legend bool, measured, counted func(growthPoint) float64) error {
	var line, points, low, high plotter.XYs
	for _, g := range s.Points {
		x := float64(g.Value)
		line = append(line, plotter.XY{X: x, Y: counted(g)})
		points = append(points, plotter.XY{X: x, Y: measured(g)})
		low = append(low, plotter.XY{X: x, Y: counted(g) * (1 - tolerance)})
		high = append(plotter.XYs{{X: x, Y: counted(g) * (1 + tolerance)}}, high...)
	}
	band, err := plotter.NewPolygon(append(low, high...))
	if err != nil {
		return err
	}
	band.Color, band.LineStyle.Width = bandColor, 0
	count, err := plotter.NewLine(line)
	if err != nil {
		return err
	}
	count.Color, count.Width, count.Dashes = chart.Black, vg.Points(1), []vg.Length{vg.Points(4), vg.Points(3)}
	time, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	time.Color, time.Width = chart.Blue, vg.Points(1.5)
	dots.Color, dots.Shape, dots.Radius = chart.Blue, draw.CircleGlyph{}, vg.Points(3)
	p.Add(band, count, time, dots)
	if legend {
		p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.Padding = true, true, vg.Millimeter, vg.Millimeter/2
		p.Legend.Add("measured", time, dots)
		p.Legend.Add("operations counted", count)
		p.Legend.Add(fmt.Sprintf("± %.0f %%", 100*tolerance), band)
	}
	return nil
}
