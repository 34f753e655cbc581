package fewshot

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/train"
)

// Okabe and Ito's palette, which colour-blind readers can tell apart; shapes tell the lines apart as well.
var (
	palette = []color.RGBA{{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 114, 178, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {213, 94, 0, 255}}
	shapes  = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}}
	grey    = color.RGBA{110, 110, 110, 255}
)

// Series is a line of a panel.
type series struct {
	name   string
	points plotter.XYs
	errors plotter.YErrors
}

// DrawShots draws accuracy against the number of shots, a line per model, a panel per task, as SVG or PNG by the name's
// ending (Brown et al. 2020, figure 3.8 and others).
func (s *Summary) DrawShots(path string) error {
	ticks := make([]plot.Tick, len(s.Shots))
	for i, n := range s.Shots {
		ticks[i] = plot.Tick{Value: float64(i), Label: fmt.Sprint(n)}
	}
	return s.draw(path, "examples in the prompt", ticks, func(task string) (lines []series) {
		for _, m := range s.Models {
			line := series{name: train.Thousands(int(m.Parameters)) + " parameters"}
			for i, n := range s.Shots {
				line.add(float64(i), s, m, task, n)
			}
			lines = append(lines, line)
		}
		return lines
	})
}

// DrawSizes draws accuracy against the number of parameters, a line per number of shots (Brown et al. 2020, figure 1.3).
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

func (l *series) add(x float64, s *Summary, m Model, task string, shots int) {
	if c, ok := s.Cell(m, task, shots); ok {
		l.points = append(l.points, plotter.XY{X: x, Y: 100 * c.Accuracy})
		l.errors = append(l.errors, struct{ Low, High float64 }{100 * c.Margin, 100 * c.Margin})
	}
}

// Columns of panels.
const columns = 3

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
	legend, err := s.legend(lines(s.Tasks[0]))
	if err != nil {
		return err
	}
	const foot = vg.Centimeter
	width, height := vg.Length(across)*8.5*vg.Centimeter+vg.Centimeter, vg.Length(rows)*7*vg.Centimeter+foot
	canvas, err := draw.NewFormattedCanvas(width, height, strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil {
		return err
	}
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	tiles := draw.Tiles{Rows: rows, Cols: across, PadX: vg.Centimeter / 2, PadY: vg.Centimeter / 2, PadLeft: vg.Centimeter / 4, PadRight: vg.Centimeter / 4, PadTop: vg.Centimeter / 4}
	for r, row := range plot.Align(panels, tiles, draw.Crop(all, 0, 0, foot, 0)) {
		for c, tile := range row {
			if panels[r][c] != nil {
				panels[r][c].Draw(tile)
			}
		}
	}
	legend.draw(draw.Crop(all, vg.Centimeter, -vg.Centimeter/4, vg.Centimeter/8, foot-height))
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// Panel is the plot of a task.
func (s *Summary) panel(task, xlabel string, ticks []plot.Tick, lines []series) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = task, xlabel, "accuracy, %"
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}})
	p.Add(plotter.NewGrid())
	first, last := ticks[0].Value, ticks[len(ticks)-1].Value
	if c, ok := s.Cell(s.Models[0], task, s.Shots[0]); ok {
		l, err := level(first, last, c.Chance)
		if err != nil {
			return nil, err
		}
		p.Add(l)
	}
	for i, line := range lines {
		if len(line.points) == 0 {
			continue
		}
		l, dots, err := line.marks(i)
		if err != nil {
			return nil, err
		}
		bars, err := plotter.NewYErrorBars(struct {
			plotter.XYs
			plotter.YErrors
		}{line.points, line.errors})
		if err != nil {
			return nil, err
		}
		bars.Color = l.Color
		p.Add(l, dots, bars)
	}
	margin := 0.05 * max(last-first, 1)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = first-margin, last+margin, 0, 102
	return p, nil
}

func level(from, to, chance float64) (*plotter.Line, error) {
	l, err := plotter.NewLine(plotter.XYs{{X: from, Y: 100 * chance}, {X: to, Y: 100 * chance}})
	if err != nil {
		return nil, err
	}
	l.Color, l.Width, l.Dashes = grey, vg.Points(1.5), []vg.Length{vg.Points(5), vg.Points(3)}
	return l, nil
}

func (l series) marks(i int) (*plotter.Line, *plotter.Scatter, error) {
	line, dots, err := plotter.NewLinePoints(l.points)
	if err != nil {
		return nil, nil, err
	}
	c := palette[i%len(palette)]
	line.Color, line.Width = c, vg.Points(1.8)
	dots.Color, dots.Shape, dots.Radius = c, shapes[i%len(shapes)], vg.Points(3.2)
	return line, dots, nil
}

// Legend is a row of names below the panels.
type legend struct {
	names []string
	marks [][]plot.Thumbnailer
}

func (s *Summary) legend(lines []series) (*legend, error) {
	var out legend
	for i, line := range lines {
		if len(line.points) == 0 {
			continue
		}
		l, dots, err := line.marks(i)
		if err != nil {
			return nil, err
		}
		out.names, out.marks = append(out.names, line.name), append(out.marks, []plot.Thumbnailer{l, dots})
	}
	l, err := level(0, 1, 0)
	if err != nil {
		return nil, err
	}
	out.names, out.marks = append(out.names, "chance"), append(out.marks, []plot.Thumbnailer{l})
	return &out, nil
}

// Draw gives each name an equal part of the width.
func (l *legend) draw(c draw.Canvas) {
	width := (c.Max.X - c.Min.X) / vg.Length(len(l.names))
	for i, name := range l.names {
		one := plot.NewLegend()
		one.Left = true
		one.Add(name, l.marks[i]...)
		left := c.Min.X + vg.Length(i)*width
		one.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: c.Min.Y}, Max: vg.Point{X: left + width, Y: c.Max.Y}}})
	}
}
