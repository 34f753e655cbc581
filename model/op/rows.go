package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// rows picks rows of a matrix and adds them up in groups.
type rows struct{ count, width int }

// Rows returns [R, D]: row r is the sum of x[index[j·R + r]] over the groups j, for
// x [N, D] and an index [groups·R] of numbers below N. With one group it picks the
// states of R tokens, with two it adds the states of two sequences each (Radford et
// al. 2018, section 3.3, similarity).
//
// The gradient of x is as large as x, and zero in rows that aren't picked.
func (g *Graph) Rows(x, index *G.Node, groups int) *G.Node {
	_, d := dims("Rows' input", x)
	n := index.Shape().TotalSize()
	must(groups > 0 && n%groups == 0, "Rows: %d numbers in %d groups", n, groups)
	r := n / groups
	return g.apply("Rows", &rows{r, d}, tensor.Shape{r, d}, activation(x), constant(index))
}

func (r *rows) forward(out []float32, in []values) {
	x, index := in[0].float, in[1].index
	kernel.Embedding(out, x, index[:r.count], r.width)
	for i := r.count; i < len(index); i++ {
		sum := out[i%r.count*r.width:][:r.width]
		kernel.Add(sum, sum, x[int(index[i])*r.width:][:r.width])
	}
}

func (r *rows) backward(_, dout []float32, in []values) {
	x, index := in[0], in[1].index
	if !x.accumulate {
		clear(x.grad)
	}
	for ; len(index) > 0; index = index[r.count:] {
		kernel.EmbeddingGrad(x.grad, dout, index[:r.count], r.width)
	}
}

func (r *rows) backwardReads() (inputs, output bool) { return false, false }

func (r *rows) describe(int) description {
	return description{"Last tokens", Lookup, "Σ x[rows]", []string{"x", "rows"}, []string{"dx[rows] = dy", ""}}
}
