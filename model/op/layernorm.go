package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// layerNorm normalises each row. mean and rstd (1/√(variance+ε)) of the rows are
// kept for the backward pass.
type layerNorm struct {
	rows, width int
	epsilon     float32
	mean, rstd  []float32
}

// LayerNorm returns [N, D]: each row of x [N, D] less its mean, divided by its
// standard deviation √(variance+ε), times gain [D], plus bias [D] (Ba et al. 2016).
func (g *Graph) LayerNorm(x *G.Node, gain, bias Param, epsilon float32) *G.Node {
	n, d := dims("LayerNorm's input", x)
	must(gain.Node.Shape().TotalSize() == d && bias.Node.Shape().TotalSize() == d, "LayerNorm: x %v, gain %v, bias %v", x.Shape(), gain.Node.Shape(), bias.Node.Shape())
	l := &layerNorm{n, d, epsilon, g.floats(n), g.floats(n)}
	return g.apply("LayerNorm", l, tensor.Shape{n, d}, activation(x), gain.input(), bias.input())
}

func (l *layerNorm) forward(out []float32, in []values) {
	kernel.LayerNorm(out, l.mean, l.rstd, in[0].float, in[1].float, in[2].float, l.rows, l.width, l.epsilon)
}

func (l *layerNorm) backward(_, dout []float32, in []values) {
	x, gain, bias := in[0], in[1], in[2]
	kernel.LayerNormGrad(x.grad, gain.grad, bias.grad, dout, x.float, gain.float, l.mean, l.rstd, l.rows, l.width, x.accumulate)
}

func (l *layerNorm) backwardReads() (inputs, output bool) { return true, false }

func (l *layerNorm) describe(int) description {
	return description{"Layer normalization", Normalization, "x̂·g + b, x̂ = (x − μ)/σ", []string{"x", "g", "b"},
		[]string{"u = g·dy, dx = (u − mean u − x̂·mean(u·x̂))/σ", "dg = Σ dy·x̂", "db = Σ dy"}}
}
