package verify

import (
	"gorgonia.org/tensor"

	"tinygpt/model/op"
)

// float32 computes a loss f of the tokens' log-probabilities from logits as training does: by
// operations of package op, in float32. It returns the loss and its gradient with respect to
// the logits. f returns the loss and sets grad to its gradient with respect to logProbs.
func (r *rollout) float32(logits [][]float64, f func(logProbs, grad []float64) float64) (float64, []float64, error) {
	actions := make([]int32, len(r.actions))
	for i, a := range r.actions {
		actions[i] = int32(a)
	}
	return lossOfLogits(logits, actions, f)
}

// lossOfLogits does what float32 does for targets of which some may be op.Ignore.
func lossOfLogits(logits [][]float64, targets []int32, f func(logProbs, grad []float64) float64) (float64, []float64, error) {
	n, v := len(logits), len(logits[0])
	values := make([]float32, 0, n*v)
	for _, row := range logits {
		for _, z := range row {
			values = append(values, float32(z))
		}
	}
	// The logits are the product of the unit matrix and a parameter: in training they are
	// activations too, and their gradient ends in that of the parameter.
	unit := make([]float32, n*n)
	for i := range n {
		unit[i*n+i] = 1
	}
	g := op.NewGraph()
	matrix := func(rows, columns int, data []float32) *tensor.Dense {
		return tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(data))
	}
	grad := matrix(n, v, make([]float32, n*v))
	table := g.Param("logits", matrix(n, v, values), grad)
	bias := g.Param("bias", tensor.New(tensor.WithShape(v), tensor.WithBacking(make([]float32, v))), nil)
	node, index := g.Indices("targets", n)
	copy(index, targets)
	z := g.Linear(g.Param("unit", matrix(n, n, unit), nil).Node, table, bias)
	loss := g.Loss("loss", func(x, dx [][]float32) float64 {
		d := make([]float64, n)
		l := f(widen(x[0]), d)
		for i := range d {
			dx[0][i] = float32(d[i])
		}
		return l
	}, g.LogProbs(z, node))
	if err := g.Grad(loss, []op.Param{table}); err != nil {
		return 0, nil, err
	}
	m, err := op.NewMachine(g)
	if err != nil {
		return 0, nil, err
	}
	g.Plan(m)
	if err := m.Run(); err != nil {
		return 0, nil, err
	}
	return value(loss), widen(grad.Float32s()), nil
}
