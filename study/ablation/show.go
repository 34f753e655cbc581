package ablation

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/finetune/metric"
	"tinygpt/internal/chart"
)

// cell returns the mean and standard deviation of an arm's scores at a size over seeds; n is the
// number of seeds.
func cell(points []Point, arm string, size int) (mean, deviation float64, n int) {
	var scores []float64
	for _, p := range points {
		if p.Arm == arm && p.Examples == size {
			scores = append(scores, p.Score)
		}
	}
	if len(scores) > 0 {
		mean, deviation = metric.MeanDeviation(scores)
	}
	return mean, deviation, len(scores)
}

// table returns a table in Markdown with a row for each arm and a column for each size.
func table(arms []Arm, sizes []int, points []Point) string {
	var b strings.Builder
	name := "score"
	if len(points) > 0 {
		name = points[0].Metric
	}
	fmt.Fprintf(&b, "| %s, by labelled examples |", name)
	for _, n := range sizes {
		fmt.Fprintf(&b, " %d |", n)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(sizes)) + "\n")
	for _, a := range arms {
		fmt.Fprintf(&b, "| %s |", a.Name)
		for _, size := range sizes {
			switch mean, deviation, n := cell(points, a.Name, size); n {
			case 0:
				b.WriteString(" |")
			case 1:
				fmt.Fprintf(&b, " %.3f |", mean)
			default:
				fmt.Fprintf(&b, " %.3f ± %.3f |", mean, deviation)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// colors of the arms.
var colors = []color.RGBA{chart.Blue, chart.Green, chart.SkyBlue, chart.Orange, chart.Black, chart.Grey}

// picture draws the score over the number of examples, on a logarithmic axis, with error bars of
// a standard deviation, as SVG or PNG by the name's ending.
func picture(path string, arms []Arm, sizes []int, points []Point) error {
	p := chart.New("Fine-tuned on few and many examples", "labelled examples", "")
	if len(points) > 0 {
		p.Y.Label.Text = points[0].Metric + " on the test set"
	}
	p.X.Scale = plot.LogScale{}
	var ticks []plot.Tick
	for _, n := range sizes {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: strconv.Itoa(n)})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Add(plotter.NewGrid())
	var legend []chart.Entry
	for i, a := range arms {
		var line chart.Bars
		for _, size := range sizes {
			if mean, deviation, n := cell(points, a.Name, size); n > 0 {
				line.Add(float64(size), mean, deviation, deviation)
			}
		}
		if len(line.XYs) == 0 {
			continue
		}
		l, dots, err := plotter.NewLinePoints(line.XYs)
		if err != nil {
			return err
		}
		errors, err := plotter.NewYErrorBars(line)
		if err != nil {
			return err
		}
		l.Color, l.Width, dots.Color, dots.Shape, errors.Color = colors[i], vg.Points(1.5), colors[i], draw.CircleGlyph{}, colors[i]
		if a.Baseline || a.Averaged {
			l.Dashes = chart.Dashes
		}
		p.Add(l, dots, errors)
		legend = append(legend, chart.Entry{Name: a.Name, Marks: []plot.Thumbnailer{l, dots}})
	}
	return chart.WriteLegend(path, chart.SlideWidth, chart.SlideHeight, legend, []*plot.Plot{p})
}
