package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// dropout is one place in the graph where elements are dropped. The mask is a function of
// the run's seed and of the place, so the backward pass draws the same one again.
type dropout struct {
	graph *Graph
	site  uint64
	p     float32
}

// newDropout returns the next place: they are numbered in the order in which the graph is
// built.
func (g *Graph) newDropout(p float32) dropout {
	g.dropoutSites++
	return dropout{g, g.dropoutSites, p}
}

// mask is the dropout of the present run. The odd constant (2⁶⁴/φ) makes the seeds of the
// places differ in many bits.
func (d dropout) mask() kernel.Dropout {
	return kernel.Dropout{P: d.p, Seed: d.graph.dropoutSeed ^ d.site*0x9e3779b97f4a7c15}
}

// Dropout returns [N, D]: x with each element zero with probability p, the others
// divided by 1-p (Srivastava et al. 2014). With p = 0 it is x itself.
func (g *Graph) Dropout(x *G.Node, p float32) *G.Node {
	if p == 0 {
		return x
	}
	n, d := dims("Dropout's input", x)
	return g.apply("Dropout", g.newDropout(p), tensor.Shape{n, d}, activation(x))
}

func (d dropout) forward(out []float32, in []values) { d.mask().Apply(out, in[0].float) }

func (d dropout) backward(_, dout []float32, in []values) { d.mask().Apply(in[0].grad, dout) }

func (d dropout) backwardReads() (inputs, output bool) { return false, false }

func (d dropout) describe(int) description {
	return description{"Dropout", Elementwise, "m·x", []string{"x"}, []string{"dx = m·dy"}}
}
