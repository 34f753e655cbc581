package diagram

import (
	"fmt"
	"slices"

	"tinygpt/internal/chart"
	"tinygpt/model/op"
)

// scene is a picture, in pixels.
type scene struct {
	Width, Height float64
	Frames, Boxes []shape
	Lines         []line
	Texts         []text
	Slide         bool // it is as large as a slide
}

// shape is a rectangle with its texts.
type shape struct {
	ID                  string
	X, Y, Width, Height float64
	Class               string
	Tip                 string
	Texts               []text
}

// text is a line of text whose baseline begins at X, Y, or with Mid has its middle, with End its
// end there.
type text struct {
	X, Y           float64
	Text           string
	Size           float64
	Bold, End, Mid bool
	Up             bool // it reads upwards
	Muted          bool
}

// Length returns the text's width in the typeface of the picture. A viewer with another typeface
// stretches the text to this width.
func (t text) Length() float64 { return chart.TextWidth(t.Text, t.Size, t.Bold) }

// line is an arrow along points.
type line struct {
	ID     string
	Class  string
	Points [][2]float64
}

// kinds returns the kinds of operations that occur, in the order of the legend.
func (d *Diagram) kinds() (list []op.Kind) {
	for _, r := range d.rows {
		for _, b := range []*box{r.forward, r.backward} {
			if b != nil && !r.outside && !slices.Contains(list, b.kind) {
				list = append(list, b.kind)
			}
		}
	}
	slices.Sort(list)
	return list
}

// kindNames are the names of kinds in the legend.
var kindNames = map[op.Kind]string{
	op.Lookup: "lookup", op.Product: "matrix products", op.Attention: "attention",
	op.Normalization: "normalization", op.Elementwise: "element by element", op.Loss: "loss",
}

// colors are the colours of kinds.
var colors = map[op.Kind]colour{
	op.Lookup: colour(chart.SkyBlue), op.Product: colour(chart.Blue), op.Attention: colour(chart.Orange),
	op.Normalization: colour(chart.Green), op.Elementwise: colour(chart.Grey), op.Loss: colour(chart.Purple),
}

// canvas is a scene with the places of its columns and rows.
type canvas struct {
	*measured
	scene
	// Left ends of the frames and of the columns, the right end of all, and the widths of
	// boxes.
	frameX, leavesX, forwardX, backwardX, gradientsX, end float64
	forwardWidth, backwardWidth                           float64
	gap                                                   float64   // between rows
	tops                                                  []float64 // of rows
}

// draw places everything on a picture of this height. Space that is left over widens the gaps
// and the boxes.
func (m *measured) draw(height float64) *scene {
	size := m.size
	c := &canvas{measured: m, scene: scene{Width: slideWidth, Height: height, Slide: height == slideHeight}}
	spare := slideWidth - m.width()
	wider := min(spare, 3*size)
	spare -= wider
	c.frameX, c.end = margin*size, slideWidth-margin*size
	c.leavesX = c.frameX + frameLabel*size
	c.forwardX, c.forwardWidth = c.leavesX+m.leaves+m.side(0), m.forward+spare/3
	c.backwardX, c.backwardWidth = c.forwardX+c.forwardWidth+middle*size+wider, m.backward+spare/3
	c.gradientsX = c.backwardX + c.backwardWidth + m.side(1) + spare/6
	c.gap = rowGap*size + (height-m.height())/float64(len(m.heights)+1)
	y := headHeight*size + c.gap
	for _, h := range m.heights {
		c.tops = append(c.tops, y)
		y += h + c.gap
	}
	c.head()
	c.frames()
	for i, r := range m.rows {
		c.row(i, r)
	}
	for i, e := range m.edges {
		c.Lines = append(c.Lines, c.arrow(e, i))
	}
	c.foot()
	return &c.scene
}

// row draws a row without the arrows from and to other rows.
func (c *canvas) row(i int, r *row) {
	mid := c.tops[i] + c.heights[i]/2
	across := func(id, class string, from, to float64) {
		c.Lines = append(c.Lines, line{fmt.Sprintf("%s%d", id, i), class, [][2]float64{{from, mid}, {to, mid}}})
	}
	if r.forward != nil {
		c.Boxes = append(c.Boxes, c.place(r, r.forward, fmt.Sprintf("f%d", i), c.forwardX, c.tops[i], c.forwardWidth, c.heights[i]))
	}
	if r.backward != nil {
		c.Boxes = append(c.Boxes, c.place(r, r.backward, fmt.Sprintf("b%d", i), c.backwardX, c.tops[i], c.backwardWidth, c.heights[i]))
	}
	if r.kept() {
		across("kept", "kept", c.forwardX+c.forwardWidth, c.backwardX)
	}
	left, right := r.chips()
	if len(left) > 0 {
		c.Boxes = append(c.Boxes, c.leftChips(left, fmt.Sprintf("l%d", i), c.leavesX, mid))
		across("leaf", "leaf", c.leavesX+c.leaves, c.forwardX)
	}
	if len(right) > 0 {
		c.Boxes = append(c.Boxes, c.rightChips(right, fmt.Sprintf("r%d", i), c.gradientsX, mid))
	}
	if len(r.gradients) > 0 {
		across("gradient", "gradient thin", c.backwardX+c.backwardWidth, c.gradientsX)
	}
	if len(r.seeds) > 0 {
		across("seed", "gradient thin", c.gradientsX, c.backwardX+c.backwardWidth)
	}
}

// head draws the title, the note and the names of the columns.
func (c *canvas) head() {
	size := c.size
	title, base := 1.6*size, headHeight*size
	c.Texts = append(c.Texts,
		text{X: c.frameX, Y: title, Text: c.Title, Size: titleSize * size, Bold: true},
		text{X: c.end, Y: title, Text: c.Note, Size: size, End: true, Muted: true},
		text{X: c.leavesX, Y: base, Text: "inputs, parameters", Size: size, Muted: true},
		text{X: c.forwardX + c.forwardWidth/2, Y: base, Text: "forward ↓", Size: size, Bold: true, Mid: true},
		text{X: c.backwardX + c.backwardWidth/2, Y: base, Text: "backward ↑", Size: size, Bold: true, Mid: true},
		text{X: c.gradientsX, Y: base, Text: "their gradients", Size: size, Muted: true})
}

// frames draws a frame around each layer, with its number or how many layers it represents.
func (c *canvas) frames() {
	for i := 0; i < len(c.rows); {
		next := i + 1
		for next < len(c.rows) && c.rows[next].layer >= 0 && c.rows[next].layer == c.rows[i].layer {
			next++
		}
		if r := c.rows[i]; r.layer >= 0 {
			top, bottom := c.tops[i]-0.4*c.gap, c.tops[next-1]+c.heights[next-1]+0.4*c.gap
			c.Frames = append(c.Frames, shape{ID: fmt.Sprintf("layer%d", r.layer+1), X: c.frameX, Y: top, Width: c.end - c.frameX, Height: bottom - top, Class: "frame"})
			label := fmt.Sprintf("layer %d", r.layer+1)
			if r.times > 1 {
				label = fmt.Sprintf("× %d layers", r.times)
			}
			c.Texts = append(c.Texts, text{X: c.frameX + 1.2*c.size, Y: (top + bottom) / 2, Text: label, Size: 1.1 * c.size, Bold: true, Up: true, Mid: true})
		}
		i = next
	}
}

// place returns the shape of a box at x, y.
func (c *canvas) place(r *row, b *box, id string, x, y, width, height float64) shape {
	size := c.size
	out := shape{ID: id, X: x, Y: y, Width: width, Height: height, Class: fmt.Sprintf("box kind%d", b.kind), Tip: c.tip(b.nodes)}
	pad := 1.5 * padding * size
	if r.outside {
		out.Class = "box outside"
		out.Texts = []text{{X: x + width/2, Y: y + height/2 + 0.36*size, Text: b.name, Size: size, Mid: true, Muted: true}}
		return out
	}
	lines := 1.0
	if b.formula != "" {
		lines = 2
	}
	base := y + height/2 - lines*lineHeight*size/2 + 0.95*size
	out.Texts = append(out.Texts, text{X: x + pad, Y: base, Text: b.name, Size: size, Bold: true})
	if b.shape != "" {
		out.Texts = append(out.Texts, text{X: x + width - pad, Y: base, Text: b.shape, Size: size, End: true})
	}
	if lines == 2 {
		out.Texts = append(out.Texts, text{X: x + pad, Y: base + lineHeight*size, Text: b.formula, Size: size})
	}
	return out
}

// leftChips returns the shape of an operation's leaves, a line each.
func (c *canvas) leftChips(chips []chip, id string, x, mid float64) shape {
	out := c.chipShape(chips, id, x, mid, c.leaves)
	for i, one := range chips {
		y := out.Y + (0.1+lineHeight*float64(i)+0.95)*c.size
		out.Texts = append(out.Texts,
			text{X: x + 0.5*c.size, Y: y, Text: one.symbol, Size: c.size, Bold: true},
			text{X: x + 1.2*c.size + c.symbolWidth(), Y: y, Text: one.text, Size: c.size})
		if count := one.count(); count != "" {
			out.Texts = append(out.Texts, text{X: x + c.leaves - 0.5*c.size, Y: y, Text: count, Size: c.size, End: true, Muted: true})
		}
	}
	return out
}

// rightChips returns the shape of a row's gradients of parameters and seeds, a line each.
func (c *canvas) rightChips(chips []chip, id string, x, mid float64) shape {
	out := c.chipShape(chips, id, x, mid, c.gradients)
	for i, one := range chips {
		out.Texts = append(out.Texts, text{X: x + 0.5*c.size, Y: out.Y + (0.1+lineHeight*float64(i)+0.95)*c.size, Text: one.says(), Size: c.size})
	}
	return out
}

// chipShape returns the shape of chips, without its texts.
func (c *canvas) chipShape(chips []chip, id string, x, mid, width float64) shape {
	height := (lineHeight*float64(len(chips)) + 0.3) * c.size
	out := shape{ID: id, X: x, Y: mid - height/2, Width: width, Height: height, Class: "chip"}
	for _, one := range chips {
		if out.Tip != "" {
			out.Tip += "\n"
		}
		if one.name != "" {
			out.Tip += one.name + ": "
		}
		out.Tip += c.tip(one.nodes)
	}
	return out
}

// arrow returns the line of an edge: straight between neighbours, else through its lane. Seen in
// the direction of the flow, it leaves a box near the box's end and arrives near its beginning.
func (c *canvas) arrow(e edge, i int) line {
	out := line{ID: fmt.Sprintf("e%d", i), Class: "forward"}
	column, width := c.forwardX, c.forwardWidth
	if e.backward {
		out.Class = "gradient"
		column, width = c.backwardX, c.backwardWidth
	}
	top := func(i int) float64 { return c.tops[i] }
	bottom := func(i int) float64 { return c.tops[i] + c.heights[i] }
	lane, long := c.lanes[e]
	switch {
	case !long && !e.backward:
		out.Points = [][2]float64{{column + width/2, bottom(e.from)}, {column + width/2, top(e.to)}}
	case !long:
		out.Points = [][2]float64{{column + width/2, top(e.from)}, {column + width/2, bottom(e.to)}}
	default:
		quarter := func(i int, share float64) float64 { return top(i) + share*c.heights[i] }
		away := (0.9 + laneWidth*float64(lane)) * c.size
		edgeX, laneX, leave, arrive := column, column-away, quarter(e.from, 0.82), quarter(e.to, 0.18)
		if e.backward {
			edgeX, laneX, leave, arrive = column+width, column+width+away, quarter(e.from, 0.18), quarter(e.to, 0.82)
		}
		out.Points = [][2]float64{{edgeX, leave}, {laneX, leave}, {laneX, arrive}, {edgeX, arrive}}
	}
	return out
}

// foot draws the legend.
func (c *canvas) foot() {
	size := c.size
	y := c.Height - (footHeight-0.3)*size
	x := margin * size
	for _, k := range c.kinds() {
		c.Boxes = append(c.Boxes, shape{ID: fmt.Sprintf("legend%d", k), X: x, Y: y, Width: 1.4 * size, Height: size, Class: fmt.Sprintf("box kind%d", k)})
		c.Texts = append(c.Texts, text{X: x + 1.8*size, Y: y + 0.85*size, Text: kindNames[k], Size: size})
		x += 1.8*size + chart.TextWidth(kindNames[k], size, false) + 1.2*size
	}
	for _, l := range []struct{ class, name string }{{"forward", "values"}, {"gradient", "gradients"}, {"kept", "what the backward pass reads again"}} {
		c.Lines = append(c.Lines, line{"legend-" + l.class, l.class, [][2]float64{{x, y + size/2}, {x + 2*size, y + size/2}}})
		c.Texts = append(c.Texts, text{X: x + 2.5*size, Y: y + 0.85*size, Text: l.name, Size: size})
		x += 2.5*size + chart.TextWidth(l.name, size, false) + 1.2*size
	}
}
