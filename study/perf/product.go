package perf

import (
	"fmt"
	"math"

	"tinygpt/model"
	"tinygpt/model/kernel"
)

// Product is a matrix product of a training step, C[M,N] = op(A)[M,K]·op(B)[K,N],
// as kernel.Product computes it.
type Product struct {
	// In and Out are the widths of the linear map that the product belongs to.
	In, Out int
	// Pass is "forward", "dX" (gradient of the rows) or "dW" (of the weights).
	Pass           string
	TransA, TransB bool
	M, N, K        int
}

// Name returns a short name, as in "768→2304 dW".
func (p Product) Name() string { return fmt.Sprintf("%d→%d %s", p.In, p.Out, p.Pass) }

// FLOP returns the number of additions and multiplications.
func (p Product) FLOP() float64 { return 2 * float64(p.M) * float64(p.N) * float64(p.K) }

// Products lists the different matrix products of a training step on the given number of
// rows (tokens): three for each linear map of a block, whose weights are [in, out], and
// three for the output head, whose table is [V, D].
func Products(c model.Config, rows int) []Product {
	d := c.Width
	var list []Product
	for _, l := range []struct{ in, out int }{{d, 3 * d}, {d, d}, {d, 4 * d}, {4 * d, d}} {
		in, out := l.in, l.out
		list = append(list,
			Product{In: in, Out: out, Pass: "forward", M: rows, N: out, K: in},
			Product{In: in, Out: out, Pass: "dX", TransB: true, M: rows, N: in, K: out},
			Product{In: in, Out: out, Pass: "dW", TransA: true, M: in, N: out, K: rows})
	}
	v := c.VocabSize
	return append(list,
		Product{In: d, Out: v, Pass: "forward", TransB: true, M: rows, N: v, K: d},
		Product{In: d, Out: v, Pass: "dX", M: rows, N: d, K: v},
		Product{In: d, Out: v, Pass: "dW", TransA: true, M: v, N: d, K: rows})
}

// Operands are the matrices of a product.
type Operands struct {
	Product
	a, b, c []float32
}

// NewOperands fills the matrices with numbers in [-0.5, 0.5) that a program in any language
// can reproduce (see fill): A first, then B.
func (p Product) NewOperands() *Operands {
	o := &Operands{p, make([]float32, p.M*p.K), make([]float32, p.K*p.N), make([]float32, p.M*p.N)}
	state := uint32(1)
	state = fill(o.a, state)
	fill(o.b, state)
	return o
}

// fill writes the high 24 bits of a linear congruential generator (the constants
// are those of Press et al., "Numerical Recipes", 1992, section 7.1).
func fill(x []float32, state uint32) uint32 {
	for i := range x {
		state = state*1664525 + 1013904223
		x[i] = float32(state>>8)/(1<<24) - 0.5
	}
	return state
}

// Run computes the product once.
func (o *Operands) Run() {
	kernel.Product{TransA: o.TransA, TransB: o.TransB, M: o.M, N: o.N, K: o.K, A: o.a, B: o.b, C: o.c}.Compute()
}

// Check computes the product and returns Σ|c|. Another library that computes the same
// product gets about the same sum.
func (o *Operands) Check() (sum float64) {
	clear(o.c)
	o.Run()
	for _, x := range o.c {
		sum += math.Abs(float64(x))
	}
	return sum
}
