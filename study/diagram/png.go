package diagram

import (
	"image/color"
	"io"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	gonumtext "gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"tinygpt/internal/chart"
	"tinygpt/model/op"
)

// WritePNG draws the picture of WriteSVG with two pixels for each of its units.
func (d *Diagram) WritePNG(w io.Writer) error {
	s := d.layout()
	// A unit is a point, of which 72 are an inch: 144 dots per inch are two for each.
	img := vgimg.NewWith(vgimg.UseWH(vg.Length(s.Width), vg.Length(s.Height)), vgimg.UseDPI(144))
	p := painter{draw.New(img), vg.Length(s.Height)}
	for _, f := range s.Frames {
		p.shape(f)
	}
	for _, l := range s.Lines {
		p.line(l)
	}
	for _, b := range s.Boxes {
		p.shape(b)
	}
	for _, t := range s.Texts {
		p.text(t)
	}
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(w)
	return err
}

// painter draws the parts of a scene, whose y grows downwards.
type painter struct {
	draw.Canvas
	height vg.Length
}

func (p painter) at(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x), Y: p.height - vg.Length(y)}
}

// rgba returns the colour mixed with white, of which it is this share.
func (c colour) rgba(share float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(255 - share*(255-float64(v)) + 0.5) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// shape draws a rectangle in the style of its class, with its texts; see picture.svg.
func (p painter) shape(s shape) {
	fill, edge, width, dashes := color.RGBA{255, 255, 255, 255}, color.RGBA{0x99, 0x99, 0x99, 255}, 1.0, []vg.Length(nil)
	switch class, kind, _ := strings.Cut(s.Class, " "); {
	case class == "frame":
		fill, edge = colour(chart.Grey).rgba(0.08), colour(chart.Grey).rgba(1)
	case kind == "outside":
		dashes = []vg.Length{5, 3}
	case class == "box":
		for k, c := range colors {
			if kind == kindClass(k) {
				fill, edge, width = c.rgba(tint), c.rgba(1), 2
			}
		}
	}
	var path vg.Path
	path.Move(p.at(s.X, s.Y))
	path.Line(p.at(s.X+s.Width, s.Y))
	path.Line(p.at(s.X+s.Width, s.Y+s.Height))
	path.Line(p.at(s.X, s.Y+s.Height))
	path.Close()
	p.SetColor(fill)
	p.Fill(path)
	p.SetColor(edge)
	p.SetLineWidth(vg.Length(width))
	p.SetLineDash(dashes, 0)
	p.Stroke(path)
	for _, t := range s.Texts {
		p.text(t)
	}
}

// line draws an arrow.
func (p painter) line(l line) {
	c, width, dashes := color.RGBA(chart.Black), 2.0, []vg.Length(nil)
	class, thin, _ := strings.Cut(l.Class, " ")
	switch class {
	case "gradient":
		c = chart.Vermillion
	case "kept":
		c, width, dashes = chart.Grey, 1.2, []vg.Length{5, 3}
	case "leaf":
		width = 1.2
	}
	if thin != "" {
		width = 1.2
	}
	n := len(l.Points)
	tip, before := l.Points[n-1], l.Points[n-2]
	length := math.Hypot(tip[0]-before[0], tip[1]-before[1])
	if length == 0 {
		return
	}
	const head, half = 8.0, 4.0
	dx, dy := (tip[0]-before[0])/length, (tip[1]-before[1])/length
	var path, arrow vg.Path
	path.Move(p.at(l.Points[0][0], l.Points[0][1]))
	for _, q := range l.Points[1 : n-1] {
		path.Line(p.at(q[0], q[1]))
	}
	base := [2]float64{tip[0] - head*dx, tip[1] - head*dy}
	path.Line(p.at(base[0], base[1]))
	p.SetColor(c)
	p.SetLineWidth(vg.Length(width))
	p.SetLineDash(dashes, 0)
	p.Stroke(path)
	arrow.Move(p.at(tip[0], tip[1]))
	arrow.Line(p.at(base[0]-half*dy, base[1]+half*dx))
	arrow.Line(p.at(base[0]+half*dy, base[1]-half*dx))
	arrow.Close()
	p.Fill(arrow)
}

// text draws a text in the typeface of the plots.
func (p painter) text(t text) {
	style := gonumtext.Style{Color: color.Black, Font: font.From(chart.Font, vg.Length(t.Size)), Handler: plot.DefaultTextHandler, YAlign: gonumtext.YBottom}
	if t.Bold {
		style.Font.Weight = xfont.WeightBold
	}
	if t.Muted {
		style.Color = color.RGBA{0x55, 0x55, 0x55, 255}
	}
	switch {
	case t.Mid:
		style.XAlign = gonumtext.XCenter
	case t.End:
		style.XAlign = gonumtext.XRight
	}
	if t.Up {
		style.Rotation = math.Pi / 2
	}
	at := p.at(t.X, t.Y)
	// The baseline is at t.Y; a style aligns the lower end, a descent below it.
	down := style.FontExtents().Descent
	if t.Up {
		at.X += down
	} else {
		at.Y -= down
	}
	p.FillText(style, at, t.Text)
}

// kindClass returns the class of boxes of a kind.
func kindClass(k op.Kind) string { return "kind" + string(rune('0'+int(k))) }
