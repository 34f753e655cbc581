package diagram

import (
	"fmt"
	"slices"
	"strings"

	"tinygpt/chart"
	"tinygpt/model/op"
	"tinygpt/train"
)

// A slide is as large as a projector. A graph that isn't readable on one makes a longer
// picture.
const (
	slideWidth  = 1280.0
	slideHeight = 720.0
	// Sizes of text: the largest that fits a slide is taken, and on longer pictures
	// longSize or what fits their width.
	largest, smallest, longSize = 19.0, 12.5, 15.0
)

// scene is a picture in units of a pixel.
type scene struct {
	Width, Height, Size float64
	Frames, Boxes       []shape
	Lines               []line
	Texts               []text
	Slide               bool // it fits a projector
}

// shape is a rectangle with its texts.
type shape struct {
	ID                  string
	X, Y, Width, Height float64
	Class               string
	Tip                 string
	Texts               []text
}

// text stands on its baseline at X, Y; End means that it ends there.
type text struct {
	X, Y           float64
	Text           string
	Size           float64
	Bold, End, Mid bool
	Up             bool // it reads from below to above
	Muted          bool
}

// line is an arrow along points.
type line struct {
	ID     string
	Class  string
	Points [][2]float64
}

// layout places everything, with the largest text that fits a slide.
func (d *Diagram) layout() *scene {
	for size := largest; size >= smallest; size -= 0.5 {
		if m := d.measure(size); m.width() <= slideWidth && m.height() <= slideHeight {
			return m.draw(slideHeight)
		}
	}
	size := longSize
	for size > smallest && d.measure(size).width() > slideWidth {
		size -= 0.5
	}
	m := d.measure(size)
	return m.draw(m.height())
}

// measured is a picture's sizes before anything is placed.
type measured struct {
	*Diagram
	size float64
	// Widths of the columns, and heights of the rows.
	leaves, forward, backward, gradients float64
	heights                              []float64
	// Lanes are beside the column of forward and of backward boxes: for each edge that
	// passes boxes by, the number of its lane from the column.
	lanes    map[edge]int
	sideways [2]int // how many
}

// lineHeight and the others are in sizes of text.
const (
	lineHeight = 1.22
	padding    = 0.3
	rowGap     = 0.8
	laneWidth  = 0.8
	titleSize  = 1.25
	arrowRoom  = 1.5
	middle     = 3.6
	margin     = 0.9
	frameLabel = 1.8
	frameEnd   = 0.6
	headHeight = 3.6
	footHeight = 1.9
)

func (d *Diagram) measure(size float64) *measured {
	m := &measured{Diagram: d, size: size, lanes: map[edge]int{}}
	width := func(s string, bold bool) float64 { return chart.TextWidth(s, size, bold) }
	m.forward, m.backward = width("forward", true), width("backward", true)
	m.leaves, m.gradients = width("inputs, parameters", true), width("their gradients", true)
	for _, r := range d.rows {
		lines := 1.0
		for i, b := range []*box{r.forward, r.backward} {
			if b == nil {
				continue
			}
			w := width(b.name, true)
			if b.shape != "" {
				w += width(b.shape, false) + size
			}
			if b.formula != "" {
				w = max(w, width(b.formula, false))
				lines = 2
			}
			w += 2 * 1.5 * padding * size
			if i == 0 {
				m.forward = max(m.forward, w)
			} else {
				m.backward = max(m.backward, w)
			}
		}
		left, right := r.chips()
		lines = max(lines, float64(max(len(left), len(right))))
		m.heights = append(m.heights, lines*lineHeight*size+2*padding*size)
		for _, c := range left {
			m.leaves = max(m.leaves, m.symbolWidth()+width(c.text, false)+width(c.count(), false)+2.4*size)
		}
		for _, c := range right {
			m.gradients = max(m.gradients, width(c.says(), false)+size)
		}
	}
	m.findLanes()
	return m
}

// chips are what stands left and right of the row.
func (r *row) chips() (left, right []chip) {
	return r.leaves, slices.Concat(r.gradients, r.seeds)
}

// count is how many numbers a table or a matrix has; of others the shape says it.
func (c chip) count() string {
	if c.size == 0 || !strings.Contains(c.text, "×") {
		return ""
	}
	return train.Thousands(c.size)
}

// says is what a chip on the right says.
func (c chip) says() string {
	if c.symbol != "" {
		return c.symbol + " = " + c.text
	}
	return c.text
}

// symbolWidth is that of the widest symbol of a leaf.
func (m *measured) symbolWidth() (w float64) {
	for _, r := range m.rows {
		for _, c := range r.leaves {
			w = max(w, chart.TextWidth(c.symbol, m.size, true))
		}
	}
	return w
}

// box is the box of a column in row i; nil if there is none.
func (d *Diagram) box(i int, backward bool) *box {
	if backward {
		return d.rows[i].backward
	}
	return d.rows[i].forward
}

// adjacent says whether no other box is between the two of an edge.
func (d *Diagram) adjacent(e edge) bool {
	for i := min(e.from, e.to) + 1; i < max(e.from, e.to); i++ {
		if d.box(i, e.backward) != nil {
			return false
		}
	}
	return true
}

// findLanes gives the edges that pass boxes by lanes, in which none covers another: short
// ones are near the boxes.
func (m *measured) findLanes() {
	var long []edge
	for _, e := range m.edges {
		if !m.adjacent(e) {
			long = append(long, e)
		}
	}
	slices.SortStableFunc(long, func(a, b edge) int { return abs(a.to-a.from) - abs(b.to-b.from) })
	for _, e := range long {
		lane := 0
		for taken := true; taken; {
			taken = false
			for other, at := range m.lanes {
				if other.backward == e.backward && at == lane && min(e.from, e.to) < max(other.from, other.to) && min(other.from, other.to) < max(e.from, e.to) {
					taken = true
				}
			}
			if taken {
				lane++
			}
		}
		m.lanes[e] = lane
		side := 0
		if e.backward {
			side = 1
		}
		m.sideways[side] = max(m.sideways[side], lane+1)
	}
}

func abs(n int) int { return max(n, -n) }

// side is the room for lanes and arrows beside a column.
func (m *measured) side(i int) float64 {
	return (arrowRoom + laneWidth*float64(m.sideways[i])) * m.size
}

func (m *measured) width() float64 {
	columns := (frameLabel+middle+frameEnd)*m.size + m.leaves + m.side(0) + m.forward + m.backward + m.side(1) + m.gradients
	head := chart.TextWidth(m.Title, titleSize*m.size, true) + 2*m.size + chart.TextWidth(m.Note, m.size, false)
	return 2*margin*m.size + max(columns, head)
}

func (m *measured) height() (h float64) {
	for _, row := range m.heights {
		h += row
	}
	return h + (headHeight+footHeight+rowGap*float64(len(m.heights)+1))*m.size
}

// kinds are those that occur, in the order of the legend.
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

// kindNames are the legend's words.
var kindNames = map[op.Kind]string{
	op.Lookup: "lookup", op.Product: "matrix products", op.Attention: "attention",
	op.Normalization: "normalization", op.Elementwise: "element by element", op.Loss: "loss",
}

// colors are those of package chart.
var colors = map[op.Kind]colour{
	op.Lookup: colour(chart.SkyBlue), op.Product: colour(chart.Blue), op.Attention: colour(chart.Orange),
	op.Normalization: colour(chart.Green), op.Elementwise: colour(chart.Grey), op.Loss: colour(chart.Purple),
}

// draw places everything on a picture of that height.
func (m *measured) draw(height float64) *scene {
	s := &scene{Width: slideWidth, Height: height, Size: m.size, Slide: height == slideHeight}
	size := m.size
	// What is left over goes to the gaps.
	spareX := slideWidth - m.width()
	middleWidth := middle*size + min(spareX, 3*size)
	spareX -= min(spareX, 3*size)
	gap := rowGap*size + (height-m.height())/float64(len(m.heights)+1)

	x := map[string]float64{}
	x["frame"] = margin * size
	x["leaves"] = x["frame"] + frameLabel*size
	forwardWidth, backwardWidth := m.forward+spareX/3, m.backward+spareX/3
	x["forward"] = x["leaves"] + m.leaves + m.side(0)
	x["backward"] = x["forward"] + forwardWidth + middleWidth
	x["gradients"] = x["backward"] + backwardWidth + m.side(1) + spareX/6
	end := slideWidth - margin*size

	tops := make([]float64, len(m.rows))
	y := headHeight*size + gap
	for i, h := range m.heights {
		tops[i] = y
		y += h + gap
	}

	m.head(s, x, forwardWidth, backwardWidth, end)
	m.frames(s, x["frame"], end, tops, gap)
	for i, r := range m.rows {
		mid := tops[i] + m.heights[i]/2
		if r.forward != nil {
			s.Boxes = append(s.Boxes, m.place(r, r.forward, fmt.Sprintf("f%d", i), x["forward"], tops[i], forwardWidth, m.heights[i]))
		}
		if r.backward != nil {
			s.Boxes = append(s.Boxes, m.place(r, r.backward, fmt.Sprintf("b%d", i), x["backward"], tops[i], backwardWidth, m.heights[i]))
		}
		if r.kept() {
			s.Lines = append(s.Lines, line{fmt.Sprintf("kept%d", i), "kept", [][2]float64{{x["forward"] + forwardWidth, mid}, {x["backward"], mid}}})
		}
		left, right := r.chips()
		if len(left) > 0 {
			s.Boxes = append(s.Boxes, m.leftChips(left, fmt.Sprintf("l%d", i), x["leaves"], mid))
			s.Lines = append(s.Lines, line{fmt.Sprintf("leaf%d", i), "leaf", [][2]float64{{x["leaves"] + m.leaves, mid}, {x["forward"], mid}}})
		}
		gradients, seeds := right[:len(r.gradients)], right[len(r.gradients):]
		if len(right) > 0 {
			from, to := x["backward"]+backwardWidth, x["gradients"]
			s.Boxes = append(s.Boxes, m.rightChips(right, fmt.Sprintf("r%d", i), x["gradients"], mid))
			if len(gradients) > 0 {
				s.Lines = append(s.Lines, line{fmt.Sprintf("gradient%d", i), "gradient thin", [][2]float64{{from, mid}, {to, mid}}})
			}
			if len(seeds) > 0 {
				s.Lines = append(s.Lines, line{fmt.Sprintf("seed%d", i), "gradient thin", [][2]float64{{to, mid}, {from, mid}}})
			}
		}
	}
	for i, e := range m.edges {
		s.Lines = append(s.Lines, m.arrow(e, i, x, forwardWidth, backwardWidth, tops))
	}
	m.foot(s)
	return s
}

// head is the title and the names of the columns.
func (m *measured) head(s *scene, x map[string]float64, forwardWidth, backwardWidth, end float64) {
	size := m.size
	title, base := 1.6*size, headHeight*size
	s.Texts = append(s.Texts,
		text{X: x["frame"], Y: title, Text: m.Title, Size: titleSize * size, Bold: true},
		text{X: end, Y: title, Text: m.Note, Size: size, End: true, Muted: true},
		text{X: x["leaves"], Y: base, Text: "inputs, parameters", Size: size, Muted: true},
		text{X: x["forward"] + forwardWidth/2, Y: base, Text: "forward ↓", Size: size, Bold: true, Mid: true},
		text{X: x["backward"] + backwardWidth/2, Y: base, Text: "backward ↑", Size: size, Bold: true, Mid: true},
		text{X: x["gradients"], Y: base, Text: "their gradients", Size: size, Muted: true})
}

// frames go around rows that stand for several layers, and say how many.
func (m *measured) frames(s *scene, x, end float64, tops []float64, gap float64) {
	for i := 0; i < len(m.rows); {
		next := i + 1
		for next < len(m.rows) && m.rows[next].layer >= 0 && m.rows[next].layer == m.rows[i].layer {
			next++
		}
		if r := m.rows[i]; r.layer >= 0 {
			top, bottom := tops[i]-0.4*gap, tops[next-1]+m.heights[next-1]+0.4*gap
			s.Frames = append(s.Frames, shape{ID: fmt.Sprintf("layer%d", r.layer+1), X: x, Y: top, Width: end - x, Height: bottom - top, Class: "frame"})
			label := fmt.Sprintf("layer %d", r.layer+1)
			if r.times > 1 {
				label = fmt.Sprintf("× %d layers", r.times)
			}
			s.Texts = append(s.Texts, text{X: x + 1.2*m.size, Y: (top + bottom) / 2, Text: label, Size: 1.1 * m.size, Bold: true, Up: true, Mid: true})
		}
		i = next
	}
}

// place draws a box.
func (m *measured) place(r *row, b *box, id string, x, y, width, height float64) shape {
	size := m.size
	out := shape{ID: id, X: x, Y: y, Width: width, Height: height, Class: fmt.Sprintf("box kind%d", b.kind), Tip: m.tip(b.nodes)}
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

// leftChips are an operation's leaves, a line each.
func (m *measured) leftChips(chips []chip, id string, x, mid float64) shape {
	out := m.chipShape(chips, id, x, mid, m.leaves)
	for i, c := range chips {
		y := out.Y + (0.1+lineHeight*float64(i)+0.95)*m.size
		out.Texts = append(out.Texts,
			text{X: x + 0.5*m.size, Y: y, Text: c.symbol, Size: m.size, Bold: true},
			text{X: x + 1.2*m.size + m.symbolWidth(), Y: y, Text: c.text, Size: m.size})
		if count := c.count(); count != "" {
			out.Texts = append(out.Texts, text{X: x + m.leaves - 0.5*m.size, Y: y, Text: count, Size: m.size, End: true, Muted: true})
		}
	}
	return out
}

// rightChips are the gradients of a row's parameters, and what the backward pass begins
// with.
func (m *measured) rightChips(chips []chip, id string, x, mid float64) shape {
	out := m.chipShape(chips, id, x, mid, m.gradients)
	for i, c := range chips {
		out.Texts = append(out.Texts, text{X: x + 0.5*m.size, Y: out.Y + (0.1+lineHeight*float64(i)+0.95)*m.size, Text: c.says(), Size: m.size})
	}
	return out
}

func (m *measured) chipShape(chips []chip, id string, x, mid, width float64) shape {
	height := (lineHeight*float64(len(chips)) + 0.3) * m.size
	out := shape{ID: id, X: x, Y: mid - height/2, Width: width, Height: height, Class: "chip"}
	for _, c := range chips {
		if out.Tip != "" {
			out.Tip += "\n"
		}
		if c.name != "" {
			out.Tip += c.name + ": "
		}
		out.Tip += m.tip(c.nodes)
	}
	return out
}

// arrow is an edge: straight between neighbours, else through its lane. What comes in
// arrives at a box's first quarter, what goes out leaves at its last, seen along the way.
func (m *measured) arrow(e edge, i int, x map[string]float64, forwardWidth, backwardWidth float64, tops []float64) line {
	out := line{ID: fmt.Sprintf("e%d", i), Class: "forward"}
	column, width := x["forward"], forwardWidth
	if e.backward {
		out.Class = "gradient"
		column, width = x["backward"], backwardWidth
	}
	top := func(i int) float64 { return tops[i] }
	bottom := func(i int) float64 { return tops[i] + m.heights[i] }
	lane, long := m.lanes[e]
	switch {
	case !long && !e.backward:
		out.Points = [][2]float64{{column + width/2, bottom(e.from)}, {column + width/2, top(e.to)}}
	case !long:
		out.Points = [][2]float64{{column + width/2, top(e.from)}, {column + width/2, bottom(e.to)}}
	default:
		quarter := func(i int, share float64) float64 { return top(i) + share*m.heights[i] }
		away := (0.9 + laneWidth*float64(lane)) * m.size
		edgeX, laneX, leave, arrive := column, column-away, quarter(e.from, 0.82), quarter(e.to, 0.18)
		if e.backward {
			edgeX, laneX, leave, arrive = column+width, column+width+away, quarter(e.from, 0.18), quarter(e.to, 0.82)
		}
		out.Points = [][2]float64{{edgeX, leave}, {laneX, leave}, {laneX, arrive}, {edgeX, arrive}}
	}
	return out
}

// foot is the legend and the notes.
func (m *measured) foot(s *scene) {
	size := m.size
	y := s.Height - (footHeight-0.3)*size
	x := margin * size
	for _, k := range m.kinds() {
		s.Boxes = append(s.Boxes, shape{ID: fmt.Sprintf("legend%d", k), X: x, Y: y, Width: 1.4 * size, Height: size, Class: fmt.Sprintf("box kind%d", k)})
		s.Texts = append(s.Texts, text{X: x + 1.8*size, Y: y + 0.85*size, Text: kindNames[k], Size: size})
		x += 1.8*size + chart.TextWidth(kindNames[k], size, false) + 1.2*size
	}
	for _, l := range []struct{ class, name string }{{"forward", "values"}, {"gradient", "gradients"}, {"kept", "what the backward pass reads again"}} {
		s.Lines = append(s.Lines, line{"legend-" + l.class, l.class, [][2]float64{{x, y + size/2}, {x + 2*size, y + size/2}}})
		s.Texts = append(s.Texts, text{X: x + 2.5*size, Y: y + 0.85*size, Text: l.name, Size: size})
		x += 2.5*size + chart.TextWidth(l.name, size, false) + 1.2*size
	}
}
