package metric

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"tinygpt/internal/chart"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

// maxSquares is the maximum number of classes for which Draw draws the matrix; with more it
// draws up to maxMistakes mistakes.
const (
	maxSquares  = 30
	maxMistakes = 20
)

// Draw writes a picture, PNG or SVG by the name's ending. For up to maxSquares classes it is the
// matrix: each square has the number of examples and their share of the true class, and is
// darker for a larger share. For more classes it is a bar chart of the most frequent mistakes.
func (c *Confusion) Draw(path, title string) error {
	n := len(c.Classes)
	if n > maxSquares {
		return c.drawMistakes(path, title)
	}
	_, _, total, correct := c.margins()
	p := chart.New(fmt.Sprintf("%s: accuracy %.1f %% (%s of %s)", title, 100*c.Accuracy(), number.Thousands(int(correct)), number.Thousands(int(total))), "predicted", "true")
	p.Add(squares{c})
	var across, down []plot.Tick
	for i, name := range c.Classes {
		across = append(across, plot.Tick{Value: float64(i), Label: terminal.Fit(name, 12)})
		down = append(down, plot.Tick{Value: float64(n - 1 - i), Label: terminal.Fit(name, 12)})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(across), plot.ConstantTicks(down)
	size := max(chart.SlideHeight, vg.Length(8+1.2*float64(n))*vg.Centimeter)
	if room := (size - axes) / vg.Length(n); widest(p.X.Tick.Label, across) > room {
		p.X.Tick.Label.Rotation = math.Pi / 4
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YTop
	}
	return chart.Write(path, size, size, []*plot.Plot{p})
}

// drawMistakes draws a bar for each of the most frequent mistakes.
func (c *Confusion) drawMistakes(path, title string) error {
	mistakes := c.Mistakes(maxMistakes)
	p := chart.New(fmt.Sprintf("%s: the most frequent mistakes (true → predicted), %d classes", title, len(c.Classes)), "examples", "")
	var counts plotter.Values
	var names []string
	for _, m := range slices.Backward(mistakes) { // bars begin at the bottom
		counts = append(counts, float64(m.Count))
		names = append(names, terminal.Fit(c.Classes[m.Truth], 24)+" → "+terminal.Fit(c.Classes[m.Predicted], 24))
	}
	if len(mistakes) == 0 {
		p.Title.Text = title + ": no mistakes"
		p.HideAxes()
		return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
	}
	bars, err := plotter.NewBarChart(counts, vg.Points(14))
	if err != nil {
		return err
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, chart.Blue, 0
	p.Add(bars)
	p.NominalY(names...)
	p.X.Min = 0
	height := max(chart.SlideHeight, vg.Length(4+len(mistakes))*vg.Centimeter)
	return chart.Write(path, chart.SlideWidth, height, []*plot.Plot{p})
}

// axes is about how much of the picture's width isn't squares: the names of the true
// classes on one side, a margin on the other.
const axes = 4.5 * vg.Centimeter

// widest returns the width of the widest label.
func widest(style text.Style, ticks []plot.Tick) (w vg.Length) {
	for _, t := range ticks {
		w = max(w, style.Width(t.Label))
	}
	return w
}

// squares is the plotter of the matrix, its first class at the top left.
type squares struct{ *Confusion }

// DataRange returns the range of the matrix: each cell is a unit square.
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
		for i := range s.Classes {
			n := row[i]
			share := float64(n) / max(truth[t], 1)
			left, right, bottom, top := x(float64(i)-0.5), x(float64(i)+0.5), y(down-0.5), y(down+0.5)
			fade := func(full uint8) uint8 { return uint8(255 - share*float64(255-full)) }
			c.FillPolygon(color.RGBA{fade(chart.Blue.R), fade(chart.Blue.G), fade(chart.Blue.B), 255},
				[]vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
			style.Color = color.Black
			if share > 0.6 {
				style.Color = color.White
			}
			middle, up := (bottom+top)/2, vg.Length(0)
			if share := fmt.Sprintf("%.0f %%", 100*share); truth[t] > 0 && style.Width(share) < right-left && top-bottom > 3*style.Font.Size {
				up = 0.6 * style.Font.Size
				small := style
				small.Font.Size = 0.75 * style.Font.Size
				c.FillText(small, vg.Point{X: (left + right) / 2, Y: middle - 0.7*style.Font.Size}, share)
			}
			c.FillText(style, vg.Point{X: (left + right) / 2, Y: middle + up}, number.Thousands(n))
		}
	}
}
