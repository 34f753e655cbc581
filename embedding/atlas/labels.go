package atlas

// box is a rectangle, of a label or a dot.
type box struct{ left, top, right, bottom float64 }

func (b box) overlaps(c box) bool {
	return b.left < c.right && c.left < b.right && b.top < c.bottom && c.top < b.bottom
}

// label is the text of a word. x is where its start, middle or end is, as anchor says, so that
// in a font of another width it still ends at its dot; y is its baseline.
type label struct {
	word   int // index in the map's Words
	text   string
	anchor string // of SVG: start, middle or end
	x, y   float64
	box    box
}

// Sizes in the picture's units.
const (
	labelSize = 12.0
	dotRadius = 2.5
	// ascent and descent are how far a label reaches above and below its baseline.
	ascent, descent = 0.95 * labelSize, 0.28 * labelSize
)

// labels places as many labels as fit into the bounds, the first words first: right, left,
// above or below their dots, where they overlap no label and, if they can, no dot.
func labels(words []Word, f frame, bounds box) []label {
	dots := newGrid(bounds)
	for _, w := range words {
		x, y := f.at(w.Place)
		dots.add(box{x - dotRadius, y - dotRadius, x + dotRadius, y + dotRadius})
	}
	var placed []label
	taken := newGrid(bounds)
	for i, w := range words {
		text := visible(w.Text)
		x, y := f.at(w.Place)
		wide, gap := width(text)*labelSize, dotRadius+2
		best, fewest := label{}, -1 // of dots that the label covers
		for _, at := range []struct {
			anchor     string
			x, y, left float64
		}{
			{"start", x + gap, y + 0.35*labelSize, x + gap}, {"end", x - gap, y + 0.35*labelSize, x - gap - wide},
			{"middle", x, y - gap - descent, x - wide/2}, {"middle", x, y + gap + ascent, x - wide/2},
		} {
			b := box{at.left - 1, at.y - ascent, at.left + wide + 1, at.y + descent}
			if b.left < bounds.left || b.right > bounds.right || b.top < bounds.top || b.bottom > bounds.bottom || taken.count(b) > 0 {
				continue
			}
			if covered := dots.count(b); fewest < 0 || covered < fewest {
				best, fewest = label{i, text, at.anchor, at.x, at.y, b}, covered
			}
		}
		if fewest >= 0 {
			taken.add(best.box)
			placed = append(placed, best)
		}
	}
	return placed
}

// grid finds the boxes that overlap another one: it lists them by the square cells that they
// touch.
type grid struct {
	bounds  box
	columns int
	cells   map[int][]box
}

// cell is the side of a cell.
const cell = 24.0

func newGrid(bounds box) *grid {
	return &grid{bounds, int((bounds.right-bounds.left)/cell) + 3, map[int][]box{}}
}

// each calls f for the cells that a box touches.
func (g *grid) each(b box, f func(cell int)) {
	at := func(x, from float64) int { return int((x-from)/cell) + 1 }
	for row := at(b.top, g.bounds.top); row <= at(b.bottom, g.bounds.top); row++ {
		for column := at(b.left, g.bounds.left); column <= at(b.right, g.bounds.left); column++ {
			f(row*g.columns + column)
		}
	}
}

func (g *grid) add(b box) { g.each(b, func(c int) { g.cells[c] = append(g.cells[c], b) }) }

// count returns how many boxes overlap b; one that shares several cells with b counts once for
// each of them.
func (g *grid) count(b box) (n int) {
	g.each(b, func(c int) {
		for _, other := range g.cells[c] {
			if other.overlaps(b) {
				n++
			}
		}
	})
	return n
}
