package op

import (
	"cmp"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
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

// A plan is made on a rehearsal: a run in which every operation notes what it would
// read and write, and computes nothing. So it holds whatever order the machine has
// chosen, and whichever way a gradient takes from one operation to the next.
type plan struct {
	passes  int // so far
	buffers []*buffer
	of      map[*tensor.Dense]*buffer // by what stands for a buffer in the rehearsal
	room    []float32                 // what the stand-ins share; nobody writes to it
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
func (g *Graph) Plan(m *Machine) error {
	p := &plan{of: map[*tensor.Dense]*buffer{}}
	g.plan = p
	err := m.Run()
	g.plan = nil
	m.forget()
	if err != nil {
		return fmt.Errorf("op: rehearsing: %w", err)
	}
	foreign := g.readElsewhere()
	for _, o := range g.list {
		if o.out != nil && (o.out.dies == o.out.born || o.out.kept || foreign[o]) {
			o.out.dies = p.passes
		}
		for i, b := range o.grads {
			if b != nil && !o.constant[i] && foreign[o.gradientOps[i]] {
				b.dies = p.passes
			}
		}
	}
	memory, fresh := g.arena.take(place(p.buffers))
	g.bytes += int64(fresh) * 4
	for _, b := range p.buffers {
		b.dense = tensor.New(tensor.WithShape(b.shape...), tensor.WithBacking(memory[b.at:b.at+b.floats():b.at+b.floats()]))
	}
	return nil
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

// readElsewhere finds the operations and gradients that Gorgonia's own nodes read.
func (g *Graph) readElsewhere() map[G.Op]bool {
	found := map[G.Op]bool{}
	for _, n := range g.Expr.AllNodes() {
		switch n.Op().(type) {
		case nil, node:
			continue
		}
		for read := g.Expr.From(n.ID()); read.Next(); {
			found[read.Node().(*G.Node).Op()] = true
		}
	}
	return found
}

// next is the number of a pass that begins.
func (p *plan) next() int {
	p.passes++
	return p.passes - 1
}

// writes notes that a pass sets b, and returns what stands for it.
func (p *plan) writes(b *buffer, pass int) *tensor.Dense {
	b.born, b.dies = pass, pass
	p.buffers = append(p.buffers, b)
	if n := b.floats(); n > len(p.room) {
		p.room = kernel.Memory(n)
	}
	standIn := tensor.New(tensor.WithShape(b.shape...), tensor.WithBacking(p.room[:b.floats()]))
	p.of[standIn] = b
	return standIn
}

// reads notes that a pass reads v, if it is a buffer.
func (p *plan) reads(v G.Value, pass int) {
	if t, ok := v.(*tensor.Dense); ok {
		if b := p.of[t]; b != nil {
			b.dies = max(b.dies, pass)
		}
	}
}
