package diagram

import (
	"slices"
	"strings"

	"tinygpt/internal/chart"
	"tinygpt/internal/number"
)

// A picture is as large as a slide, or higher if the text would be too small to read.
const (
	slideWidth  = 1280.0
	slideHeight = 720.0
	// Sizes of text. On a slide it is the largest between the first two that fits; on a higher
	// picture it is longSize, or smaller if the width demands it.
	largest, smallest, longSize = 19.0, 12.5, 15.0
)

// layout places everything, with the largest text that fits.
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

// measured has a picture's sizes before anything is placed.
type measured struct {
	*Diagram
	size float64 // of text
	// Widths of the columns, and heights of the rows.
	leaves, forward, backward, gradients float64
	heights                              []float64
	// lanes has for each edge that passes boxes the number of its lane, counted from the
	// column's side; laneCount is the number of lanes next to the forward and the backward column.
	lanes     map[edge]int
	laneCount [2]int
}

// Lengths in units of the size of text.
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

// measure returns the picture's sizes with this size of text.
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

// chips returns the chips left and right of the row.
func (r *row) chips() (left, right []chip) {
	return r.leaves, slices.Concat(r.gradients, r.seeds)
}

// count returns how many numbers a table or a matrix has; "" for other chips, whose shape says
// it.
func (c chip) count() string {
	if c.size == 0 || !strings.Contains(c.text, "×") {
		return ""
	}
	return number.Thousands(c.size)
}

// says returns the text of a chip on the right.
func (c chip) says() string {
	if c.symbol != "" {
		return c.symbol + " = " + c.text
	}
	return c.text
}

// symbolWidth returns the width of the widest symbol of a leaf.
func (m *measured) symbolWidth() (w float64) {
	for _, r := range m.rows {
		for _, c := range r.leaves {
			w = max(w, chart.TextWidth(c.symbol, m.size, true))
		}
	}
	return w
}

// box returns the box of a column in row i; nil if there is none.
func (d *Diagram) box(i int, backward bool) *box {
	if backward {
		return d.rows[i].backward
	}
	return d.rows[i].forward
}

// adjacent reports whether no other box is between the two of an edge.
func (d *Diagram) adjacent(e edge) bool {
	for i := min(e.from, e.to) + 1; i < max(e.from, e.to); i++ {
		if d.box(i, e.backward) != nil {
			return false
		}
	}
	return true
}

// findLanes gives lanes to the edges that pass other boxes, so that no two edges overlap. Short
// edges get the lanes next to the boxes.
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
		m.laneCount[side] = max(m.laneCount[side], lane+1)
	}
}

func abs(n int) int { return max(n, -n) }

// side returns the width of the lanes and arrows next to a column, 0 for forward and 1 for
// backward.
func (m *measured) side(i int) float64 {
	return (arrowRoom + laneWidth*float64(m.laneCount[i])) * m.size
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
