package op

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// LossFunc computes a scalar loss from the values x[i] of the inputs of a Loss. Unless
// grad is nil, which it is in a graph that isn't differentiated, it also writes the
// gradient of the loss by x[i] to grad[i], whose elements are 0 before. What it needs
// besides (advantages, masks, pairs, how many tokens the whole batch has) it captures.
// It is called once in each run, and must not keep or change x.
type LossFunc func(x, grad [][]float32) (loss float64)

// loss is a scalar that a LossFunc computes.
type loss struct {
	name  string
	f     LossFunc
	grads []*buffer // dL/dx of each input, kept from the forward to the backward pass
	x, dx [][]float32
	graph *Graph
}

// Loss returns the scalar f of float32 inputs of any shape, such as the [N] of LogProbs or
// the [N, 1] of a head with one output: the losses of PPO, of DPO and of a reward model are
// some lines of Go each. name says what it is in errors and pictures.
func (g *Graph) Loss(name string, f LossFunc, inputs ...*G.Node) *G.Node {
	must(len(inputs) > 0, "Loss %s: no inputs", name)
	l := &loss{name: name, f: f, graph: g, x: make([][]float32, len(inputs)), dx: make([][]float32, len(inputs))}
	var in []input
	for _, n := range inputs {
		must(n.Dtype() == tensor.Float32, "Loss %s: an input is %v, float32 is expected", name, n.Dtype())
		in = append(in, activation(n))
		l.grads = append(l.grads, &buffer{shape: n.Shape().Clone()})
	}
	return g.apply(name, l, nil, in...)
}

func (l *loss) buffers() (kept, forward, backward []*buffer) { return l.grads, nil, nil }

func (l *loss) forward(out []float32, in []values) {
	dx := l.dx
	for i := range in {
		l.x[i] = in[i].float
		l.dx[i] = l.grads[i].memory(l.graph).Float32s()
		clear(l.dx[i])
		if in[i].grad == nil {
			dx = nil // all inputs have a gradient or none has one
		}
	}
	out[0] = float32(l.f(l.x, dx))
}

func (l *loss) backward(_, dout []float32, in []values) {
	for i := range in {
		for j, d := range l.grads[i].memory(l.graph).Float32s() {
			d *= dout[0]
			if in[i].accumulate {
				d += in[i].grad[j]
			}
			in[i].grad[j] = d
		}
	}
}

func (l *loss) backwardReads() (inputs, output bool) { return false, false }

func (l *loss) describe(inputs int) description {
	d := description{name: l.name, kind: Loss, formula: "L = f(x)"}
	for i := range inputs {
		d.inputs = append(d.inputs, fmt.Sprintf("x%d", i+1))
		d.gradients = append(d.gradients, fmt.Sprintf("dx%d = dL·∂f/∂x%d", i+1, i+1))
	}
	return d
}
