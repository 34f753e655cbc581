package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// linear is an affine map of each row, rows of in to rows of out numbers.
type linear struct{ rows, in, out int }

// Linear returns x·w + b: [N, O] for x [N, I], w [I, O], b [O]. Its gradients are
// dx = dy·wᵀ, dw = xᵀ·dy, db = Σ_rows dy.
func (g *Graph) Linear(x *G.Node, w, b Param) *G.Node {
	n, in := dims("Linear's input", x)
	wi, out := dims("Linear's weight", w.Node)
	must(in == wi && b.Node.Shape().TotalSize() == out, "Linear: x %v, w %v, b %v", x.Shape(), w.Node.Shape(), b.Node.Shape())
	return g.apply("Linear", &linear{n, in, out}, tensor.Shape{n, out}, activation(x), w.input(), b.input())
}

func (l *linear) forward(out []float32, in []values) {
	kernel.Product{M: l.rows, N: l.out, K: l.in, A: in[0].float, B: in[1].float, C: out, Bias: in[2].float}.Compute()
}

func (l *linear) backward(_, dout []float32, in []values) {
	x, w, b := in[0], in[1], in[2]
	kernel.Compute(l.inputGradient(x, dout, w), l.weightGradient(x.float, dout, w, b))
}

// inputGradient is the product dout·wᵀ, or an empty one if x's gradient isn't wanted.
func (l linear) inputGradient(x values, dout []float32, w values) kernel.Product {
	if x.grad == nil {
		return kernel.Product{}
	}
	return kernel.Product{TransB: true, M: l.rows, N: l.in, K: l.out, A: dout, B: w.float, C: x.grad, Add: x.before()}
}

// weightGradient is the product xᵀ·dout, which also sums the columns of dout for b's gradient.
// If only b's gradient is wanted, weightGradient computes that and returns an empty product.
func (l linear) weightGradient(x, dout []float32, w, b values) kernel.Product {
	if w.grad == nil {
		if b.grad != nil {
			kernel.ColumnSums(b.grad, dout, l.rows, l.out)
		}
		return kernel.Product{}
	}
	return kernel.Product{TransA: true, M: l.in, N: l.out, K: l.rows, A: x, B: dout, C: w.grad, Add: w.before(), ColumnSums: b.grad}
}

func (l *linear) sets(input, _ int) bool { return input == 1 }

func (l *linear) backwardReads() (inputs, output bool) { return true, false }

func (l *linear) describe(int) description {
	return description{"Linear", Product, "x·W + b", []string{"x", "W", "b"}, []string{"dx = dy·Wᵀ", "dW = xᵀ·dy", "db = Σ dy"}}
}
