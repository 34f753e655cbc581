package op

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model/kernel"
)

// residual adds a block's output to the residual stream.
type residual struct{ *operation }

// Residual returns x + f, [N, D] both, where f was computed from x by one other
// operation (a LayerNorm, a Linear) that reads x.
//
// The gradient of the sum is that of f as it is. For x it would have to be added
// to what comes through f, and Gorgonia would do so in new memory at each step.
// Instead the operation that reads x adds its share into the sum's gradient: the
// residual stream has one gradient buffer for the whole depth of the model. To
// Gorgonia x's gradient comes through that operation alone; Graph.Grad checks
// that there is one.
func (g *Graph) Residual(x, f *G.Node) *G.Node {
	must(x.Shape().Eq(f.Shape()), "Residual: %v and %v", x.Shape(), f.Shape())
	r := residual{g.newOperation("Residual", sum{}, x.Shape().Clone(), activation(x), activation(f))}
	must(g.skips[x] == nil, "Residual: %v is in a Residual already", x)
	g.skips[x] = &skip{}
	return r.node(r)
}

// DiffWRT names f alone; see Residual.
func (r residual) DiffWRT(int) []bool { return []bool{false, true} }

// SymDiff returns the gradient of the sum for f, and leaves it for the other
// reader of x.
func (r residual) SymDiff(in G.Nodes, _, grad *G.Node) (G.Nodes, error) {
	r.graph.skips[in[0]].grad = grad
	return G.Nodes{nil, grad}, nil
}

// sum is the arithmetic of Residual; its gradient needs none.
type sum struct{}

func (sum) forward(out []float32, in []values) { kernel.Add(out, in[0].float, in[1].float) }

func (sum) backward(_, _ []float32, _ []values) {}
