package fewshot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
	"tinygpt/internal/number"
)

// shapes of points distinguish lines, in addition to their colours.
var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}}

// series is a line of a panel. One without error bars wasn't measured: it is for comparison.
type series struct {
	name string
	chart.Bars
}

// DrawShots draws accuracy over the number of shots, with a panel for each task, and in it a line
// for each model and one for the best possible reader, as SVG or PNG by the name's ending (Brown
// et al. 2020, figure 3.8 and others).
func (s *Summary) DrawShots(path string) error {
	ticks := make([]plot.Tick, len(s.Shots))
	for i, n := range s.Shots {
		ticks[i] = plot.Tick{Value: float64(i), Label: fmt.Sprint(n)}
	}
	return s.draw(path, "examples in the prompt", ticks, func(task string) (lines []series) {
		for _, m := range s.Models {
			line := series{name: number.Thousands(int(m.Parameters)) + " parameters"}
			for i, n := range s.Shots {
				line.add(float64(i), s, m, task, n)
			}
			lines = append(lines, line)
		}
		best := series{name: "best reader"}
		for i, n := range s.Shots {
			if c, ok := s.Cell(s.Models[0], task, n); ok && c.Ideal > 0 {
				best.XYs = append(best.XYs, plotter.XY{X: float64(i), Y: 100 * c.Ideal})
			}
		}
		return append(lines, best)
	})
}

// DrawSizes draws accuracy over the number of parameters, with a line for each number of shots
// (Brown et al. 2020, figure 1.3).
func (s *Summary) DrawSizes(path string) error {
	ticks := make([]plot.Tick, len(s.Models))
	for i, m := range s.Models {
		ticks[i] = plot.Tick{Value: math.Log10(float64(m.Parameters)), Label: short(m.Parameters)}
	}
	return s.draw(path, "parameters", ticks, func(task string) (lines []series) {
		for _, n := range s.Shots {
			line := series{name: shotsName(n)}
			for i, m := range s.Models {
				line.add(ticks[i].Value, s, m, task, n)
			}
			lines = append(lines, line)
		}
		return lines
	})
}

func short(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0fk", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// add appends the point of a cell, if it was measured.
func (l *series) add(x float64, s *Summary, m Model, task string, shots int) {
	if c, ok := s.Cell(m, task, shots); ok {
		l.Add(x, 100*c.Accuracy, 100*c.Margin, 100*c.Margin)
	}
}

// columns is the maximum number of panels side by side.
const columns = 3

// draw draws a panel for each task, with the series that lines returns for it.
func (s *Summary) draw(path, xlabel string, ticks []plot.Tick, lines func(task string) []series) error {
	rows := (len(s.Tasks) + columns - 1) / columns
	across := min(columns, len(s.Tasks))
	var panels [][]*plot.Plot
	for r := range rows {
		panels = append(panels, make([]*plot.Plot, across))
		for c := range across {
			if i := r*across + c; i < len(s.Tasks) {
				p, err := s.panel(s.Tasks[i], xlabel, ticks, lines(s.Tasks[i]))
				if err != nil {
					return err
				}
				panels[r][c] = p
			}
		}
	}
	legend, err := legendOf(lines(s.Tasks[0]))
	if err != nil {
		return err
	}
	// Two rows fill a slide, and so does one.
	return chart.WriteLegend(path, chart.SlideWidth, chart.SlideHeight/2*vg.Length(max(rows, 2)), legend, panels...)
}

// panel is the plot of a task.
func (s *Summary) panel(task, xlabel string, ticks []plot.Tick, lines []series) (*plot.Plot, error) {
	p := chart.New(task, xlabel, "accuracy, %")
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}})
	first, last := ticks[0].Value, ticks[len(ticks)-1].Value
	if c, ok := s.Cell(s.Models[0], task, s.Shots[0]); ok {
		l, err := level(first, last, c.Chance)
		if err != nil {
			return nil, err
		}
		p.Add(l)
	}
	for i, line := range lines {
		marks, err := line.marks(i)
		if err != nil {
			return nil, err
		}
		for _, m := range marks {
			p.Add(m)
		}
		if line.YErrors == nil {
			continue
		}
		bars, err := plotter.NewYErrorBars(line.Bars)
		if err != nil {
			return nil, err
		}
		bars.Color = colorOf(i)
		p.Add(bars)
	}
	margin := 0.05 * max(last-first, 1)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = first-margin, last+margin, 0, 103
	return p, nil
}

// level returns the line of chance.
func level(from, to, chance float64) (*plotter.Line, error) {
	l, err := plotter.NewLine(plotter.XYs{{X: from, Y: 100 * chance}, {X: to, Y: 100 * chance}})
	if err != nil {
		return nil, err
	}
	l.Color, l.Width, l.Dashes = chart.Grey, vg.Points(1.5), chart.Dashes
	return l, nil
}

func colorOf(i int) color.Color { return chart.Colors[i%len(chart.Colors)] }

// mark is drawn in a panel and in the legend.
type mark interface {
	plot.Plotter
	plot.Thumbnailer
}

// marks returns the marks of line i of a panel: the line and its points, or for one that wasn't
// measured a dotted line; nil without points.
func (l series) marks(i int) ([]mark, error) {
	if len(l.XYs) == 0 {
		return nil, nil
	}
	line, dots, err := plotter.NewLinePoints(l.XYs)
	if err != nil {
		return nil, err
	}
	if l.YErrors == nil {
		line.Color, line.Width, line.Dashes = chart.Black, vg.Points(1.5), []vg.Length{vg.Points(1.5), vg.Points(3)}
		return []mark{line}, nil
	}
	line.Color, line.Width = colorOf(i), vg.Points(2)
	dots.Color, dots.Shape, dots.Radius = colorOf(i), shapes[i%len(shapes)], vg.Points(4)
	return []mark{line, dots}, nil
}

// legendOf returns the legend of the lines, and of chance.
func legendOf(lines []series) (legend []chart.Entry, err error) {
	for i, line := range lines {
		marks, err := line.marks(i)
		if err != nil {
			return nil, err
		}
		if len(marks) == 0 {
			continue
		}
		entry := chart.Entry{Name: line.name}
		for _, m := range marks {
			entry.Marks = append(entry.Marks, m)
		}
		legend = append(legend, entry)
	}
	l, err := level(0, 1, 0)
	return append(legend, chart.Entry{Name: "chance", Marks: []plot.Thumbnailer{l}}), err
}
