package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// feedForward is a block's second half. hidden keeps h·w1 + b1 for the backward pass, which
// computes the activation of it again, in place: that takes less time than keeping it would.
type feedForward struct {
	rows, in, inner, out int
	dropout              dropout
	hidden, activated    *buffer
	gradient             *buffer // of hidden
	masked               *buffer
	graph                *Graph
	activation           kernel.Activation
	alone                bool // no stream
}

// FeedForward returns a(h·w1 + b1)·w2 + b2, [N, O], for h [N, D], w1 [D, F], b1 [F],
// w2 [F, O], b2 [O]: a classifier with a hidden layer.
func (g *Graph) FeedForward(h *G.Node, w1, b1, w2, b2 Param, a kernel.Activation) *G.Node {
	_, o := dims("FeedForward's weight", w2.Node)
	l := g.newFeedForward("FeedForward", h, w1, w2, o, a, 0)
	l.alone = true
	return g.apply("FeedForward", l, tensor.Shape{l.rows, o}, activation(h), w1.input(), b1.input(), w2.input(), b2.input())
}

// ResidualFeedForward returns x + dropout(a(h·w1 + b1)·w2 + b2), [N, D], for x and h
// [N, D], w1 [D, F], b1 [F], w2 [F, D], b2 [D]: the position-wise network (Vaswani et
// al. 2017, section 3.3) with the activation a, added to the residual stream. h may be x.
func (g *Graph) ResidualFeedForward(x, h *G.Node, w1, b1, w2, b2 Param, a kernel.Activation, dropoutP float32) *G.Node {
	must(x.Shape().Eq(h.Shape()), "ResidualFeedForward: x %v, h %v", x.Shape(), h.Shape())
	l := g.newFeedForward("ResidualFeedForward", h, w1, w2, x.Shape()[1], a, dropoutP)
	return g.addToStream(x, "ResidualFeedForward", l, activation(h), w1.input(), b1.input(), w2.input(), b2.input())
}

func (g *Graph) newFeedForward(name string, h *G.Node, w1, w2 Param, o int, a kernel.Activation, dropoutP float32) *feedForward {
	n, d := dims(name+"'s input", h)
	_, f := dims(name+"'s weight", w1.Node)
	must(w1.Node.Shape()[0] == d && w2.Node.Shape().Eq(tensor.Shape{f, o}), "%s: h %v, w1 %v, w2 %v", name, h.Shape(), w1.Node.Shape(), w2.Node.Shape())
	return &feedForward{
		rows: n, in: d, inner: f, out: o, dropout: g.newDropout(dropoutP), graph: g,
		hidden: &buffer{shape: tensor.Shape{n, f}}, activated: &buffer{shape: tensor.Shape{n, f}}, gradient: &buffer{shape: tensor.Shape{n, f}},
		masked: g.maskedGradient(n, o, dropoutP), activation: a,
	}
}

func (l *feedForward) buffers() (kept, forward, backward []*buffer) {
	return []*buffer{l.hidden}, []*buffer{l.activated}, append(orNone(l.masked), l.gradient)
}

// split separates the stream from the other inputs. If h is the stream, there is one input
// less.
func (l *feedForward) split(in []values) (x []float32, rest []values) {
	if l.alone {
		return nil, in
	}
	if len(in) == 5 {
		return in[0].float, in
	}
	return in[0].float, in[1:]
}

func (l *feedForward) forward(out []float32, in []values) {
	x, in := l.split(in)
	hidden, activated := l.hidden.memory(l.graph).Float32s(), l.activated.memory(l.graph).Float32s()
	kernel.Product{M: l.rows, N: l.inner, K: l.in, A: in[0].float, B: in[1].float, Bias: in[2].float, C: hidden, Activated: activated, Activation: l.activation}.Compute()
	l.dropout.addTo(x, kernel.Product{M: l.rows, N: l.out, K: l.inner, A: activated, B: in[3].float, Bias: in[4].float, C: out})
}

func (l *feedForward) backward(_, dout []float32, in []values) {
	self := len(in) == 5 && !l.alone
	_, in = l.split(in)
	h, w1, b1, w2, b2 := in[0], in[1], in[2], in[3], in[4]
	hidden, dhidden := l.hidden.memory(l.graph).Float32s(), l.gradient.memory(l.graph).Float32s()
	dy := l.dropout.gradient(dout, l.masked)
	kernel.Product{TransB: true, M: l.rows, N: l.inner, K: l.out, A: dy, B: w2.float, C: dhidden, ActivationInput: hidden, Activation: l.activation}.Compute()
	activated := hidden
	first, second := linear{l.rows, l.in, l.inner}, linear{l.rows, l.inner, l.out}
	dh := first.inputGradient(h, dhidden, w1)
	if self && h.grad != nil { // h is the stream, whose gradient dout is too
		if dh.Add != nil {
			kernel.Add(h.grad, h.grad, dout)
		} else {
			dh.Add = dout
		}
	}
	kernel.Compute(dh, second.weightGradient(activated, dy, w2, b2), first.weightGradient(h.float, dhidden, w1, b1))
}

// sets is true for the weights w1 and w2: the inputs end with w1, b1, w2, b2.
func (l *feedForward) sets(input, inputs int) bool { return (inputs-input)%2 == 0 }

func (l *feedForward) backwardReads() (inputs, output bool) { return true, false }

func (l *feedForward) describe(inputs int) description {
	a := activationNames[l.activation]
	if l.alone {
		return description{"Feed-forward", Product, a + "(z)·W₂ + b₂, z = h·W₁ + b₁", []string{"h", "W₁", "b₁", "W₂", "b₂"},
			[]string{"dz = dy·W₂ᵀ·" + a + "′(z), dh = dz·W₁ᵀ", "dW₁ = hᵀ·dz", "db₁ = Σ dz", "dW₂ = " + a + "(z)ᵀ·dy", "db₂ = Σ dy"}}
	}
	h, stream := "h", []string{"x"}
	if inputs == 5 {
		h, stream = "x", nil
	}
	sum, dy := l.dropout.around(a + "(z)·W₂ + b₂")
	d := description{"Feed-forward + residual", Product, "x + " + sum + ", z = " + h + "·W₁ + b₁",
		append(stream, h, "W₁", "b₁", "W₂", "b₂"), nil}
	dh := "dh = dz·W₁ᵀ"
	if stream == nil {
		dh = "dx = dy + dz·W₁ᵀ"
	} else {
		d.gradients = []string{""}
	}
	d.gradients = append(d.gradients, "dz = "+dy+"·W₂ᵀ·"+a+"′(z), "+dh, "dW₁ = "+h+"ᵀ·dz", "db₁ = Σ dz", "dW₂ = "+a+"(z)ᵀ·"+dy, "db₂ = Σ "+dy)
	return d
}

// activationNames are those in formulas.
var activationNames = map[kernel.Activation]string{kernel.TanhGELU: "GELU", kernel.ExactGELU: "GELU", kernel.ReLU: "ReLU", kernel.SiLU: "SiLU"}
