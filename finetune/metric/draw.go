package metric

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
)

// Draw writes the matrix as a PNG picture: the darker a square, the larger the share
// of its true class that was predicted so.
func (c *Confusion) Draw(path, title string) error {
	n := len(c.Classes)
	p := chart.New(title, "predicted", "true")
	p.Add(squares{c})
	var across, down []plot.Tick
	for i, name := range c.Classes {
		across = append(across, plot.Tick{Value: float64(i), Label: shorten(name, 12)})
		down = append(down, plot.Tick{Value: float64(n - 1 - i), Label: shorten(name, 12)})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(across), plot.ConstantTicks(down)
	size := max(chart.SlideHeight, vg.Length(8+1.2*float64(n))*vg.Centimeter)
	if room := (size - axes) / vg.Length(n); widest(p.X.Tick.Label, across) > room {
		p.X.Tick.Label.Rotation = math.Pi / 4
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YTop
	}
	return chart.Write(path, size, size, []*plot.Plot{p})
}

// axes is about how much of the picture's width isn't squares: the names of the true
// classes on one side, a margin on the other.
const axes = 4.5 * vg.Centimeter

// widest is the width of the longest label.
func widest(style text.Style, ticks []plot.Tick) (w vg.Length) {
	for _, t := range ticks {
		w = max(w, style.Width(t.Label))
	}
	return w
}

// squares is the plotter of the matrix, its first class at the top left.
type squares struct{ *Confusion }

// DataRange is a unit square for each cell.
func (s squares) DataRange() (xmin, xmax, ymin, ymax float64) {
	n := float64(len(s.Classes))
	return -0.5, n - 0.5, -0.5, n - 0.5
}

// Plot draws cells and counts.
func (s squares) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := text.Style{
		Color: color.Black, Font: chart.Font, XAlign: text.XCenter, YAlign: text.YCenter,
		Handler: plot.DefaultTextHandler,
	}
	style.Font.Size = vg.Points(14)
	truth, _, _, _ := s.margins()
	for t, row := range s.Counts {
		down := float64(len(s.Counts) - 1 - t)
		for i, n := range row {
			share := float64(n) / max(truth[t], 1)
			left, right, bottom, top := x(float64(i)-0.5), x(float64(i)+0.5), y(down-0.5), y(down+0.5)
			fade := func(full uint8) uint8 { return uint8(255 - share*float64(255-full)) }
			c.FillPolygon(color.RGBA{fade(chart.Blue.R), fade(chart.Blue.G), fade(chart.Blue.B), 255},
				[]vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
			style.Color = color.Black
			if share > 0.6 {
				style.Color = color.White
			}
			c.FillText(style, vg.Point{X: (left + right) / 2, Y: (bottom + top) / 2}, fmt.Sprint(n))
		}
	}
}
