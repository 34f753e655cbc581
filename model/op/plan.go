package op

import (
	"cmp"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// buffer is the memory of an activation or of its gradient. Without a plan it gets memory of
// its own in the first run.
type buffer struct {
	shape tensor.Shape
	dense *tensor.Dense // nil: no memory yet
	// In a plan: the first and the last pass in which it holds something, and its place,
	// in floats.
	born, dies, at int
	kept           bool // it must keep its contents until the end of a run
}

// floats is the number of elements.
func (b *buffer) floats() int { return b.shape.TotalSize() }

// memory returns the buffer's tensor.
func (b *buffer) memory(g *Graph) *tensor.Dense {
	if b.dense == nil {
		g.bytes += int64(b.floats()) * 4
		b.dense = tensor.New(tensor.WithShape(b.shape...), tensor.Of(tensor.Float32))
	}
	return b.dense
}

// A plan follows a machine's steps and notes what each pass of an operation reads and writes.
// It is therefore right for any order of the steps, and for any way that a gradient takes
// from one operation to the next.
type plan struct {
	passes         int // so far
	buffers        []*buffer
	differentiated map[*operation]bool // those whose backward pass has been met
}

// planned is a node of this package: an operation or a gradient.
type planned interface {
	// plan notes what the node reads and writes, given the buffers of its arguments, and
	// returns the buffer of its result. What isn't planned, such as a parameter, is nil.
	plan(p *plan, args []*buffer) *buffer
}

// leanLayer is a layer whose backward pass doesn't read everything that it is given.
type leanLayer interface {
	// backwardReads says whether the backward pass reads the values of its
	// activations among the inputs, and its output.
	backwardReads() (inputs, output bool)
}

// bufferedLayer is a layer with buffers of its own: kept from the forward to the backward
// pass, or used by one of the two only.
type bufferedLayer interface {
	buffers() (kept, forward, backward []*buffer)
}

// Plan gives the graph's buffers their memory. Two buffers may share it if they aren't in use
// at the same time when m runs the graph. What no operation of this package reads, such as a
// model's last output, keeps its memory until the end of a run, and so does what Keep was
// called for.
func (g *Graph) Plan(m *Machine) {
	p := &plan{differentiated: map[*operation]bool{}}
	holds := make([]*buffer, len(m.values))
	for _, s := range m.steps {
		var args []*buffer
		for _, at := range s.args {
			args = append(args, holds[at])
		}
		if n, ours := s.node.Op().(planned); ours {
			holds[s.at] = n.plan(p, args)
			continue
		}
		for _, b := range args {
			if b != nil {
				b.kept = true
			}
		}
	}
	for _, o := range g.list {
		if o.out != nil && o.out.dies == o.out.born {
			o.out.kept = true
		}
	}
	for _, b := range p.buffers {
		if b.kept {
			b.dies = p.passes
		}
	}
	memory, fresh := g.arena.take(place(p.buffers))
	g.bytes += int64(fresh) * 4
	for _, b := range p.buffers {
		b.dense = tensor.New(tensor.WithShape(b.shape...), tensor.WithBacking(memory[b.at:b.at+b.floats():b.at+b.floats()]))
	}
}

// Keep makes the value of a node of this package last until the end of a run, so that it
// can be looked at. It is called before Plan.
func (g *Graph) Keep(n *G.Node) {
	n.Op().(interface{ output() *buffer }).output().kept = true
}

// line is the number of floats in a cache line, at which every buffer begins.
const line = 64 / 4

// place finds a place for each buffer, and returns the size of the whole. The largest buffers
// come first; each takes the first gap between those that are in use at the same time.
func place(buffers []*buffer) (size int) {
	order := slices.Clone(buffers)
	slices.SortStableFunc(order, func(a, b *buffer) int { return cmp.Compare(b.floats(), a.floats()) })
	var placed []*buffer // sorted by their places
	for _, b := range order {
		b.at = 0
		for _, other := range placed {
			if other.dies < b.born || b.dies < other.born {
				continue
			}
			if b.at+b.floats() <= other.at {
				break
			}
			b.at = max(b.at, (other.at+other.floats()+line-1)/line*line)
		}
		i, _ := slices.BinarySearchFunc(placed, b.at, func(other *buffer, at int) int { return cmp.Compare(other.at, at) })
		placed = slices.Insert(placed, i, b)
		size = max(size, b.at+b.floats())
	}
	return size
}

// next begins a pass and returns its number.
func (p *plan) next() int {
	p.passes++
	return p.passes - 1
}

// writes notes that a pass sets buffers.
func (p *plan) writes(pass int, buffers ...*buffer) {
	for _, b := range buffers {
		b.born, b.dies = pass, pass
	}
	p.buffers = append(p.buffers, buffers...)
}

// reads notes that a pass reads buffers; nil ones aren't planned.
func (p *plan) reads(pass int, buffers ...*buffer) {
	for _, b := range buffers {
		if b != nil {
			b.dies = max(b.dies, pass)
		}
	}
}
