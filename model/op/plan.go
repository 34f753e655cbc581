package op

import (
	"cmp"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// buffer is the memory of an activation or of its gradient. Without a plan it has
// memory of its own from the first run on.
type buffer struct {
	shape tensor.Shape
	dense *tensor.Dense // nil: no memory yet
	// In a plan: the passes from which to which (included) it holds something, and
	// its place, in floats.
	born, dies, at int
	kept           bool // it is never to be overwritten in a run
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

// A plan follows a machine's steps and notes what each pass of an operation reads and
// writes. So it holds whatever the order of the steps, and whichever way a gradient takes
// from one operation to the next.
type plan struct {
	passes         int // so far
	buffers        []*buffer
	differentiated map[*operation]bool // those whose backward pass has been met
}

// planned is a node of this package: an operation or a gradient.
type planned interface {
	// plan notes what the node reads and writes, given what holds its arguments. It
	// returns what holds its result. What isn't the plan's, such as a parameter, is nil.
	plan(p *plan, args []*buffer) *buffer
}

// leanLayer is a layer whose backward pass leaves out some of what it is given.
type leanLayer interface {
	// backwardReads says whether the backward pass reads the values of its
	// activations among the inputs, and its output.
	backwardReads() (inputs, output bool)
}

// bufferedLayer is a layer with buffers of its own: those that keep something from the
// forward to the backward pass, and those that one of the two alone needs.
type bufferedLayer interface {
	buffers() (kept, forward, backward []*buffer)
}

// Plan gives the graph's buffers their memory: two that don't hold something at the
// same time may share it, in the order of the machine that will run the graph. What
// no operation of this package reads, such as a model's last output, keeps its place
// until the end of a run, and so does what Keep was called for.
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

// line is the floats of a cache line, where buffers begin.
const line = 64 / 4

// place finds a place for each buffer, and returns the size of the whole: the
// largest first, each at the first gap among those that live at the same time.
func place(buffers []*buffer) (size int) {
	order := slices.Clone(buffers)
	slices.SortStableFunc(order, func(a, b *buffer) int { return cmp.Compare(b.floats(), a.floats()) })
	var placed []*buffer // by place
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

// next is the number of a pass that begins.
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

// reads notes that a pass reads buffers, those that are the plan's.
func (p *plan) reads(pass int, buffers ...*buffer) {
	for _, b := range buffers {
		if b != nil {
			b.dies = max(b.dies, pass)
		}
	}
}
