package op

import (
	G "gorgonia.org/gorgonia"
)

// squaredError is the mean of (prediction − target)² over the rows that count.
type squaredError struct{ counted int }

// SquaredError returns a scalar: the mean of (prediction - target)² over predictions
// [N, 1] and targets [N]; a target that is NaN doesn't count, and with none left it
// is 0. It is the loss of a regression head.
func (g *Graph) SquaredError(predictions, targets *G.Node) *G.Node {
	n, one := dims("SquaredError's predictions", predictions)
	must(one == 1 && targets.Shape().TotalSize() == n, "SquaredError: predictions %v, targets %v", predictions.Shape(), targets.Shape())
	return g.apply("SquaredError", &squaredError{}, nil, activation(predictions), constant(targets))
}

func (e *squaredError) forward(out []float32, in []values) {
	var sum float64
	e.counted = 0
	for i, target := range in[1].float {
		if target == target {
			difference := float64(in[0].float[i]) - float64(target)
			sum += difference * difference
			e.counted++
		}
	}
	out[0] = float32(sum / float64(max(e.counted, 1)))
}

func (e *squaredError) backward(_, dout []float32, in []values) {
	predictions, targets := in[0], in[1].float
	scale := 2 * dout[0] / float32(max(e.counted, 1))
	for i, target := range targets {
		var grad float32
		if target == target {
			grad = scale * (predictions.float[i] - target)
		}
		if predictions.accumulate {
			grad += predictions.grad[i]
		}
		predictions.grad[i] = grad
	}
}

func (e *squaredError) backwardReads() (inputs, output bool) { return true, false }

func (e *squaredError) describe(int) description {
	return description{"Squared error", Loss, "L = mean (p − t)²", []string{"p", "t"}, []string{"dp = 2·dL·(p − t)/N", ""}}
}
