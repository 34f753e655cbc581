package op

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model/kernel"
)

// Ignore as a target means that the row is left out of sums and means.
const Ignore = kernel.Ignore

// crossEntropy is the mean of −log softmax(logits)[target] over the rows that count.
type crossEntropy struct{ rows, vocab int }

// CrossEntropy returns a scalar: the mean over the rows of logits [N, V] of
// -log p(target), in nats, for targets [N]; rows with target Ignore don't count,
// and with none left it is 0.
//
// In a graph that is differentiated, the forward pass already replaces the logits by their
// gradient, (softmax − onehot)/counted. The logits are the largest matrix of a step; this way
// there is one of that size, and it is read and written once.
func (g *Graph) CrossEntropy(logits, targets *G.Node) *G.Node {
	n, v := dims("CrossEntropy's logits", logits)
	must(targets.Shape().TotalSize() == n, "CrossEntropy: logits %v, targets %v", logits.Shape(), targets.Shape())
	return g.apply("CrossEntropy", &crossEntropy{n, v}, nil, activation(logits), constant(targets))
}

func (c *crossEntropy) gradInPlace() {}

func (c *crossEntropy) forward(out []float32, in []values) {
	logits, targets := in[0], in[1].index
	pass := kernel.CrossEntropy
	if logits.grad != nil {
		pass = kernel.CrossEntropyGrad
	}
	sum, counted := pass(nil, logits.float, targets, c.rows, c.vocab)
	out[0] = float32(sum / float64(max(counted, 1)))
}

func (c *crossEntropy) backward(_, dout []float32, in []values) {
	if dout[0] != 1 {
		kernel.Scale(in[0].grad, dout[0])
	}
}

func (c *crossEntropy) describe(int) description {
	return description{"Cross-entropy", Loss, "L = mean(−log softmax(z)[target])", []string{"z", "targets"}, []string{"dz = dL·(softmax(z) − onehot)/N", ""}}
}
