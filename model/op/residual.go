package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// residual is an operation that adds what it computes to its first input, the
// residual stream.
//
// The gradient of the sum is that of the added part as it is. For the stream it
// would have to be added to what comes through the part, and Gorgonia would do so in
// new memory at each step. Instead the operation that reads the stream at the part's
// beginning adds its share into the sum's gradient: the stream has one gradient
// buffer for the whole depth of the model. To Gorgonia the stream's gradient comes
// through that operation alone; Graph.Grad checks that there is one.
type residual struct{ *operation }

// onto applies l to inputs, and adds the result to x, which l finds as its first
// input. A part that begins with x itself takes care of all of x's gradient.
func (g *Graph) onto(x *G.Node, name string, l layer, inputs ...input) *G.Node {
	if inputs[0].node == x {
		return g.apply(name, l, x.Shape().Clone(), inputs...)
	}
	r := residual{g.newOperation(name, l, x.Shape().Clone(), append([]input{constant(x)}, inputs...)...)}
	must(g.skips[x] == nil, "%s: %v is in a residual sum already", name, x)
	g.skips[x] = &skip{}
	r.main = 1
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
	masked  *buffer // with dropout: the gradient behind the mask
}

// ResidualLinear returns x + dropout(a·w + b), [N, O], for x [N, O], a [N, I], w [I, O]
// and b [O]: how a block's attention comes back to the residual stream.
func (g *Graph) ResidualLinear(x, a *G.Node, w, b Param, dropoutP float32) *G.Node {
	n, in := dims("ResidualLinear's input", a)
	wi, out := dims("ResidualLinear's weight", w.Node)
	must(in == wi && x.Shape().Eq(tensor.Shape{n, out}) && a != x, "ResidualLinear: x %v, a %v, w %v", x.Shape(), a.Shape(), w.Node.Shape())
	l := &residualLinear{linear{n, in, out}, g.newDropout(dropoutP), g.maskedGradient(n, out, dropoutP)}
	return g.onto(x, "ResidualLinear", l, activation(a), w.input(), b.input())
}

func (l *residualLinear) buffers() (kept, forward, backward []*buffer) {
	return nil, nil, some(l.masked)
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

// maskedGradient is where a part of the stream that has dropout puts the gradient
// behind the mask: nowhere without dropout.
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

// gradient is the gradient of what addTo masks, in masked if there is a mask.
func (d dropout) gradient(dout []float32, masked *buffer) []float32 {
	if d.p == 0 {
		return dout
	}
	g := masked.memory(d.graph).Float32s()
	d.mask().Apply(g, dout)
	return g
}

// some is b, unless there is none.
func some(b *buffer) []*buffer {
	if b == nil {
		return nil
	}
	return []*buffer{b}
}
