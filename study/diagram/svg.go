package diagram

import (
	_ "embed"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"strings"

	G "gorgonia.org/gorgonia"

	"tinygpt/internal/chart"
)

//go:embed picture.svg
var pictureSVG string

var picture = template.Must(template.New("picture").Funcs(template.FuncMap{"points": points}).Parse(pictureSVG))

// WriteSVG draws the diagram as a picture of 1280 × 720, or a higher one if the text would be
// too small to read. Each box shows the names of its nodes when one points at it.
func (d *Diagram) WriteSVG(w io.Writer) error {
	type kind struct {
		Kind       int
		Fill, Line template.CSS
	}
	var kinds []kind
	for _, k := range d.kinds() {
		kinds = append(kinds, kind{int(k), colors[k].mixed(tint), colors[k].mixed(1)})
	}
	return picture.Execute(w, struct {
		*scene
		Kinds                         []kind
		Families                      template.CSS
		Forward, Gradient, Kept, Tint template.CSS
	}{d.layout(), kinds, chart.Families, colour(chart.Black).mixed(1), colour(chart.Vermillion).mixed(1), colour(chart.Grey).mixed(1), colour(chart.Grey).mixed(0.08)})
}

// tint is the share of its colour in a box.
const tint = 0.16

// colour is a colour that can be mixed with white.
type colour color.RGBA

// mixed returns rgba's mixture as #rrggbb.
func (c colour) mixed(share float64) template.CSS {
	m := c.rgba(share)
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", m.R, m.G, m.B))
}

// points returns the points of a line as in SVG.
func points(l line) string {
	var s []string
	for _, p := range l.Points {
		s = append(s, fmt.Sprintf("%.1f,%.1f", p[0], p[1]))
	}
	return strings.Join(s, " ")
}

// tip returns Gorgonia's names of nodes, a line each.
func (c *canvas) tip(nodes []*G.Node) string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name())
	}
	return strings.Join(names, "\n")
}
