package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// gelu is the activation of the feed-forward network.
type gelu struct{}

// GELU returns [N, D]: ½x(1 + tanh(√(2/π)(x + 0.044715x³))) of each element
// (Hendrycks and Gimpel 2016, the tanh form that GPT-1 and GPT-2 use).
func (g *Graph) GELU(x *G.Node) *G.Node {
	n, d := dims("GELU's input", x)
	return g.apply("GELU", gelu{}, tensor.Shape{n, d}, activation(x))
}

func (gelu) forward(out []float32, in []values) { kernel.GELU(out, in[0].float) }

func (gelu) backward(_, dout []float32, in []values) {
	kernel.GELUGrad(in[0].grad, dout, in[0].float)
}
