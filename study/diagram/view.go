package diagram

import (
	"fmt"
	"slices"
)

// whole shows all rows, but unless unfold is set only the first of neighbouring layers that are
// equal.
func (d *Diagram) whole(r *reader, unfold bool) {
	place := map[*row]int{} // from a row of the graph to the row in which it is shown
	for i := 0; i < len(r.rows); {
		size, times := 1, 1
		if r.rows[i].layer >= 0 {
			size = r.layerSize(i)
			for !unfold && r.equal(i, i+size*times, size) {
				times++
			}
		}
		for j := range size {
			shown := r.rows[i+j]
			shown.times = times
			for k := range times {
				other := r.rows[i+j+k*size]
				place[other] = len(d.rows)
				if k > 0 {
					shown.add(other)
				}
			}
			d.rows = append(d.rows, shown)
		}
		i += size * times
	}
	d.connect(r, func(from, to *row) (int, int, bool) {
		// The arrow from a layer to the next one isn't drawn if both are shown as one.
		folded := from.layer != to.layer && d.rows[place[from]].times > 1 && d.rows[place[from]].layer == d.rows[place[to]].layer
		return place[from], place[to], !folded
	})
}

// one shows one layer, with a stub for what is above it and one for what is below.
func (d *Diagram) one(r *reader, layer int) {
	begin := slices.IndexFunc(r.rows, func(row *row) bool { return row.layer == layer })
	end := begin + r.layerSize(begin)
	neighbour := func(i int) *row {
		name := ""
		switch there := r.rows[i]; {
		case there.layer >= 0:
			name = fmt.Sprintf("layer %d", there.layer+1)
		case there.forward != nil:
			name = there.forward.name
		default:
			name = there.backward.name
		}
		stub := &row{layer: -1, times: 1, outside: true, forward: &box{name: name}}
		if r.rows[i].backward != nil {
			stub.backward = &box{name: "∂ " + name}
		}
		return stub
	}
	d.rows = slices.Concat([]*row{neighbour(begin - 1)}, r.rows[begin:end], []*row{neighbour(end)})
	d.connect(r, func(from, to *row) (int, int, bool) {
		place := func(of *row) int {
			return min(max(slices.Index(r.rows, of)-begin+1, 0), len(d.rows)-1)
		}
		inside := from.layer == layer || to.layer == layer
		return place(from), place(to), inside
	})
}

// layerSize returns the number of rows of the layer that begins at row i.
func (r *reader) layerSize(i int) int {
	n := 0
	for i+n < len(r.rows) && r.rows[i+n].layer == r.rows[i].layer {
		n++
	}
	return n
}

// equal reports whether two layers, which begin at rows a and b, look the same in a picture.
func (r *reader) equal(a, b, size int) bool {
	if b >= len(r.rows) || r.rows[b].layer < 0 || r.layerSize(b) != size {
		return false
	}
	for i := range size {
		if r.signature(a+i) != r.signature(b+i) {
			return false
		}
	}
	return true
}

// signature returns all that a picture shows of a row, with the distances of the rows that it
// reads.
func (r *reader) signature(i int) string {
	this := r.rows[i]
	text := ""
	for _, list := range [][]chip{this.leaves, this.gradients, this.seeds} {
		for _, c := range list {
			text += fmt.Sprintf("%s %s;", c.symbol, c.text)
		}
		text += "\n"
	}
	for _, b := range []*box{this.forward, this.backward} {
		if b == nil {
			continue
		}
		text += fmt.Sprintf("%s; %s; %s;", b.name, b.formula, b.shape)
		r.producers(b, b == this.backward, func(from *row) {
			text += fmt.Sprintf(" %d", slices.Index(r.rows, from)-i)
		})
		text += "\n"
	}
	return text
}

// producers calls visit for each row whose box in the same column a box reads, once for each
// time that it reads it.
func (r *reader) producers(b *box, backward bool, visit func(from *row)) {
	for _, n := range b.nodes {
		for _, c := range r.inputs(n) {
			if from := r.rowOf[c]; from != nil && r.forward[c] != backward {
				visit(from)
			}
		}
	}
}

// add makes a row represent another one too.
func (r *row) add(other *row) {
	if r.forward != nil {
		r.forward.nodes = append(r.forward.nodes, other.forward.nodes...)
	}
	if r.backward != nil {
		r.backward.nodes = append(r.backward.nodes, other.backward.nodes...)
	}
	for i := range r.leaves {
		r.leaves[i].nodes = append(r.leaves[i].nodes, other.leaves[i].nodes...)
	}
	for i := range r.gradients {
		r.gradients[i].nodes = append(r.gradients[i].nodes, other.gradients[i].nodes...)
	}
}

// connect collects the edges within the columns, each once. place returns where the two rows of
// an edge are shown, and whether the edge is.
func (d *Diagram) connect(r *reader, place func(from, to *row) (i, j int, shown bool)) {
	for _, n := range r.expr.AllNodes() {
		to := r.rowOf[n]
		if to == nil {
			continue
		}
		for _, c := range r.inputs(n) {
			from := r.rowOf[c]
			if from == nil || r.forward[c] != r.forward[n] {
				continue // a leaf, or kept from the forward pass
			}
			i, j, shown := place(from, to)
			if e := (edge{i, j, !r.forward[n]}); shown && i != j && !slices.Contains(d.edges, e) {
				d.edges = append(d.edges, e)
			}
		}
	}
}
