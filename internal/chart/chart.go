// Package chart is what the project's plots have in common: gonum's plots in one
// typeface, in colours that colour-blind readers can tell apart, of a size that fills a
// projector, and files that appear under their name when they are complete.
package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"tinygpt/internal/atomicfile"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Okabe and Ito's palette (jfly.uni-koeln.de/color), made for colour-blind readers.
var (
	Black      = color.RGBA{0, 0, 0, 255}
	Orange     = color.RGBA{230, 159, 0, 255}
	SkyBlue    = color.RGBA{86, 180, 233, 255}
	Green      = color.RGBA{0, 158, 115, 255}
	Blue       = color.RGBA{0, 114, 178, 255}
	Vermillion = color.RGBA{213, 94, 0, 255}
	Purple     = color.RGBA{204, 121, 167, 255}
	Grey       = color.RGBA{110, 110, 110, 255}
)

// Colors are for lines of equal rank, in order. Yellow, which is pale on white, is left out.
var Colors = []color.RGBA{Blue, Vermillion, Green, Orange, Purple, SkyBlue}

// Dashes is the pattern of lines to compare with: floors, baselines, references.
var Dashes = []vg.Length{vg.Points(5), vg.Points(3)}

// A slide is as large as a projector: 1280 × 720 in a PNG.
const (
	SlideWidth  = vg.Length(960)
	SlideHeight = vg.Length(540)
)

// Font is the typeface of every plot.
var Font = font.Font{Typeface: "Liberation", Variant: "Sans"}

// TextWidth is how wide a text is in Font, bold or not, in the unit of its size.
func TextWidth(text string, size float64, bold bool) float64 {
	f := Font
	if bold {
		f.Weight = xfont.WeightBold
	}
	face := font.DefaultCache.Lookup(f, vg.Length(size))
	return float64(face.Width(text))
}

// New returns an empty plot with its title and the names of its axes.
func New(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for style, size := range map[*text.Style]vg.Length{
		&p.Title.TextStyle: 14, &p.Legend.TextStyle: 12,
		&p.X.Label.TextStyle: 12, &p.Y.Label.TextStyle: 12, &p.X.Tick.Label: 11, &p.Y.Tick.Label: 11,
	} {
		style.Font = font.From(Font, size)
	}
	p.Title.Padding, p.Legend.Padding = vg.Millimeter, vg.Millimeter
	p.X.Tick.Marker, p.Y.Tick.Marker = Ticks(8), Ticks(7)
	return p
}

// Line adds a line. Without a name it isn't in the legend; no points are no line, and a single
// one is a dot.
func Line(p *plot.Plot, name string, points plotter.XYs, c color.Color, dashes []vg.Length) error {
	if len(points) == 0 {
		return nil
	}
	l, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	l.Color, l.Width, l.Dashes = c, vg.Points(1.5), dashes
	p.Add(l)
	if len(points) == 1 {
		dot, err := plotter.NewScatter(points)
		if err != nil {
			return err
		}
		dot.GlyphStyle = draw.GlyphStyle{Color: c, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
		p.Add(dot)
		if name != "" {
			p.Legend.Add(name, dot)
		}
		return nil
	}
	if name != "" {
		p.Legend.Add(name, l)
	}
	return nil
}

// Bars are points that have an error bar each, for plotter.NewYErrorBars.
type Bars struct {
	plotter.XYs
	plotter.YErrors
}

// Add appends a point whose error bar reaches from y − below to y + above.
func (b *Bars) Add(x, y, below, above float64) {
	b.XYs = append(b.XYs, plotter.XY{X: x, Y: y})
	b.YErrors = append(b.YErrors, struct{ Low, High float64 }{below, above})
}

// LogY makes the scale of y logarithmic, if all that is drawn is positive. It is called
// when all is added.
func LogY(p *plot.Plot) {
	if !(p.Y.Min > 0) || math.IsInf(p.Y.Max, 0) {
		return
	}
	if p.Y.Max < 1.1*p.Y.Min { // room for ticks
		p.Y.Min, p.Y.Max = p.Y.Min/1.05, p.Y.Max*1.05
	}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(LogTicks)
}

// Write draws plots in rows and columns, their axes in line, and writes the picture as
// PNG or SVG, by the name's ending. A plot's legend is drawn below its axes, where it covers
// nothing.
func Write(path string, width, height vg.Length, rows ...[]*plot.Plot) error {
	return WriteLegend(path, width, height, nil, rows...)
}

// Entry is what a legend says of a line.
type Entry struct {
	Name  string
	Marks []plot.Thumbnailer
}

// maxSlides is how many slides a picture is wide or high at most.
const maxSlides = 4

// legendHeight is that of a legend below all plots.
const legendHeight = 8 * vg.Millimeter

// WriteLegend is Write with a legend that is common to all plots below them, side by
// side; a place in a row may be nil and stays empty.
func WriteLegend(path string, width, height vg.Length, legend []Entry, rows ...[]*plot.Plot) error {
	// A larger picture is for nobody to look at, and takes gigabytes.
	width, height = min(width, maxSlides*SlideWidth), min(height, maxSlides*SlideHeight)
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch ending := filepath.Ext(path); ending {
	case ".svg":
		canvas = vgsvg.New(width, height)
	case ".png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.New(width, height)}
	default:
		return fmt.Errorf("%s: a picture ends in .png or .svg", path)
	}
	pad := 4 * vg.Millimeter
	tiles := draw.Tiles{Rows: len(rows), Cols: len(rows[0]), PadX: pad, PadY: pad, PadTop: pad, PadRight: pad, PadBottom: pad, PadLeft: pad}
	all := draw.New(canvas)
	all.SetColor(color.White) // also where no plot is: the page below may be dark
	all.Fill(all.Rectangle.Path())
	foot := vg.Length(0)
	if len(legend) > 0 {
		foot = legendHeight
	}
	for _, p := range slices.Concat(rows...) {
		if p == nil {
			continue
		}
		widen(p)
		for _, a := range []plot.Axis{p.X, p.Y} {
			if math.IsInf(a.Max-a.Min, 1) {
				return fmt.Errorf("%s: no picture has room for numbers from %.3g to %.3g", path, a.Min, a.Max)
			}
			if _, log := a.Scale.(plot.LogScale); log && (!(a.Min > 0) || math.IsInf(a.Min, 0)) { // gonum panics
				return fmt.Errorf("%s: a logarithmic axis has no place for numbers from %.3g to %.3g", path, a.Min, a.Max)
			}
		}
	}
	for i, row := range plot.Align(rows, tiles, draw.Crop(all, 0, 0, foot, 0)) {
		strip := vg.Length(0) // below the plots of the row, for their legends
		for j := range row {
			if rows[i][j] != nil {
				strip = max(strip, rows[i][j].Legend.Rectangle(row[j]).Size().Y)
			}
		}
		for j := range row {
			if rows[i][j] != nil {
				drawAbove(rows[i][j], row[j], strip)
			}
		}
	}
	each := (width - 2*pad) / vg.Length(max(len(legend), 1))
	for i, e := range legend {
		one := plot.NewLegend()
		one.Left = true
		one.TextStyle.Font = font.From(Font, 12)
		one.Add(e.Name, e.Marks...)
		left := pad + vg.Length(i)*each
		one.Draw(draw.Canvas{Canvas: all.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: pad / 2}, Max: vg.Point{X: left + each, Y: foot}}})
	}
	var picture bytes.Buffer
	if _, err := canvas.WriteTo(&picture); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, withFallbacks(picture.Bytes()))
}

// widen gives the y axis of a constant a range that its value is a size in.
func widen(p *plot.Plot) {
	v := p.Y.Min
	if _, log := p.Y.Scale.(plot.LogScale); v != p.Y.Max || v == 0 {
		return
	} else if log {
		p.Y.Min, p.Y.Max = v/2, 2*v
		return
	}
	p.Y.Min, p.Y.Max = min(0, 2*v), max(0, 2*v)
}

// drawAbove draws a plot on a canvas but for a strip at its lower end, where its legend goes.
func drawAbove(p *plot.Plot, c draw.Canvas, strip vg.Length) {
	if strip == 0 {
		p.Draw(c)
		return
	}
	legend := p.Legend
	p.Legend = plot.NewLegend()
	p.Draw(draw.Crop(c, 0, 0, strip+legendGap, 0))
	p.Legend = legend
	legend.Left, legend.Top, legend.XOffs, legend.YOffs = true, true, 0, 0
	below := c
	below.Min.X += legendIndent
	below.Max.Y = c.Min.Y + strip + legendGap/2
	legend.Draw(below)
}

const (
	legendGap    = 2 * vg.Millimeter
	legendIndent = 8 * vg.Millimeter
)

// Families are Font in the words of CSS, with fonts of the same widths that Windows and
// macOS have.
const Families = "'Liberation Sans',Arial,Helvetica,sans-serif"

// withFallbacks names Families where an SVG picture names the first of them only, and says how
// long each text is: where another font is used, it is stretched or squeezed to that length.
func withFallbacks(svg []byte) []byte {
	const family = "font-family:Liberation Sans;"
	svg = bytes.ReplaceAll(svg, []byte(family), []byte("font-family:"+Families+";"))
	return svgText.ReplaceAllFunc(svg, func(element []byte) []byte {
		m := svgText.FindSubmatch(element)
		size, err := strconv.ParseFloat(string(m[3]), 64)
		length := TextWidth(html.UnescapeString(string(m[4])), size, string(m[2]) == "bold")
		if err != nil || length == 0 {
			return element
		}
		return fmt.Appendf(nil, `<text textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s`, length, m[1])
	})
}

// svgText is a text in a picture of gonum's: after <text all of it, its weight, size and content.
var svgText = regexp.MustCompile(`<text((?:[^>]*font-weight:(\w+);)[^>]*font-size:([0-9.]+)px[^>]*>([^<]*)</text>)`)
