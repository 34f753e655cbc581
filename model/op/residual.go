package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// residual is an operation that adds what it computes to its first input, the
// residual stream.
//
// A block computes sum = x + part(x). The gradient of the sum is also the gradient of the
// part's output. The gradient of x is the sum's gradient plus what comes back through the
// part; Gorgonia would add the two in new memory at each step. Instead, the part's first
// operation (which reads x) adds its gradient into the sum's gradient, so the stream has one
// gradient buffer for the whole depth of the model. For Gorgonia the gradient of x comes
// through that operation alone. Graph.Grad checks that there is one.
type residual struct{ *operation }

// addToStream applies l to inputs, and adds the result to the stream x. l gets x as its first
// input; if x is also the first of inputs, l computes all of x's gradient.
func (g *Graph) addToStream(x *G.Node, name string, l layer, inputs ...input) *G.Node {
	if inputs[0].node == x {
		return g.apply(name, l, x.Shape().Clone(), inputs...)
	}
	r := residual{g.newOperation(name, l, x.Shape().Clone(), append([]input{constant(x)}, inputs...)...)}
	must(g.skips[x] == nil, "%s: %v is in a residual sum already", name, x)
	g.skips[x] = &skip{}
	r.stream = 1
	return r.node(r)
}

// SymDiff leaves the gradient of the sum for the other reader of the stream.
func (r residual) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	r.graph.skips[in[0]].grad = grad
	return r.operation.SymDiff(in, out, grad)
}

// residualLinear is x + dropout(a·w + b).
type residualLinear struct {
	linear
	dropout dropout
	masked  *buffer // with dropout: the gradient after the mask
}

// ResidualLinear returns x + dropout(a·w + b), [N, O], for x [N, O], a [N, I], w [I, O]
// and b [O]. With it a block adds its attention to the residual stream.
func (g *Graph) ResidualLinear(x, a *G.Node, w, b Param, dropoutP float32) *G.Node {
	n, in := dims("ResidualLinear's input", a)
	wi, out := dims("ResidualLinear's weight", w.Node)
	must(in == wi && x.Shape().Eq(tensor.Shape{n, out}) && a != x, "ResidualLinear: x %v, a %v, w %v", x.Shape(), a.Shape(), w.Node.Shape())
	l := &residualLinear{linear{n, in, out}, g.newDropout(dropoutP), g.maskedGradient(n, out, dropoutP)}
	return g.addToStream(x, "ResidualLinear", l, activation(a), w.input(), b.input())
}

func (l *residualLinear) buffers() (kept, forward, backward []*buffer) {
	return nil, nil, orNone(l.masked)
}

func (l *residualLinear) forward(out []float32, in []values) {
	x, a := in[0].float, in[1:]
	p := kernel.Product{M: l.rows, N: l.out, K: l.in, A: a[0].float, B: a[1].float, C: out, Bias: a[2].float}
	l.dropout.addTo(x, p)
}

func (l *residualLinear) backward(out, dout []float32, in []values) {
	l.linear.backward(out, l.dropout.gradient(dout, l.masked), in[1:])
}

func (l *residualLinear) describe(int) description {
	sum, dy := l.dropout.around("a·W + b")
	return description{"Linear + residual", Product, "x + " + sum, []string{"x", "a", "W", "b"},
		[]string{"", "da = " + dy + "·Wᵀ", "dW = aᵀ·" + dy, "db = Σ " + dy}}
}

func (l *residualLinear) sets(input, _ int) bool { return input == 2 }

func (l *residualLinear) backwardReads() (inputs, output bool) { return true, false }

// maskedGradient is a buffer [n, d] for the gradient after the dropout mask; nil without
// dropout.
func (g *Graph) maskedGradient(n, d int, dropoutP float32) *buffer {
	if dropoutP == 0 {
		return nil
	}
	return &buffer{shape: tensor.Shape{n, d}}
}

// addTo computes p.C = x + dropout(p).
func (d dropout) addTo(x []float32, p kernel.Product) {
	if d.p == 0 {
		p.Add = x
		p.Compute()
		return
	}
	p.Compute()
	c := p.C[:p.M*p.N]
	d.mask().Apply(c, c)
	kernel.Add(c, c, x)
}

// gradient returns the gradient of the product that addTo has dropout act on: dout itself
// without dropout, otherwise in the buffer masked.
func (d dropout) gradient(dout []float32, masked *buffer) []float32 {
	if d.p == 0 {
		return dout
	}
	g := masked.memory(d.graph).Float32s()
	d.mask().Apply(g, dout)
	return g
}

// orNone returns b in a slice, which is empty if b is nil.
func orNone(b *buffer) []*buffer {
	if b == nil {
		return nil
	}
	return []*buffer{b}
}
