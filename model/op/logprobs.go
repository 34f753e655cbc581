package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// logProbs is log softmax(logits)[target] of each row, with or without the entropy.
type logProbs struct {
	rows, vocab int
	entropy     bool
}

// LogProbs returns [N]: the natural logarithm of softmax(logits)[target] for each row of
// logits [N, V] and targets [N]; 0 for rows whose target is Ignore. CrossEntropy is minus
// their mean. Losses over sequences (policy gradients, preferences) begin here: see Loss.
//
// The gradient of the logits, dy·(onehot − softmax), replaces them in the backward pass,
// so there is one matrix of that size, as in CrossEntropy. No other operation may read
// the logits in a graph that is differentiated.
func (g *Graph) LogProbs(logits, targets *G.Node) *G.Node {
	l := g.newLogProbs("LogProbs", logits, targets, false)
	return g.apply("LogProbs", l, tensor.Shape{l.rows}, activation(logits), constant(targets))
}

// LogProbsEntropy returns [2, N]: LogProbs, and in the second row the entropies
// −Σ softmax·log softmax of the logits' rows, in nats; 0 for rows whose target is Ignore.
// Both can be differentiated.
func (g *Graph) LogProbsEntropy(logits, targets *G.Node) *G.Node {
	l := g.newLogProbs("LogProbsEntropy", logits, targets, true)
	return g.apply("LogProbsEntropy", l, tensor.Shape{2, l.rows}, activation(logits), constant(targets))
}

func (g *Graph) newLogProbs(name string, logits, targets *G.Node, entropy bool) *logProbs {
	n, v := dims(name+"'s logits", logits)
	must(targets.Shape().TotalSize() == n, "%s: logits %v, targets %v", name, logits.Shape(), targets.Shape())
	return &logProbs{n, v, entropy}
}

func (l *logProbs) gradInPlace() {}

// split separates the log-probabilities, or their gradients, from the entropies'.
func (l *logProbs) split(x []float32) (logProbs, entropies []float32) {
	if !l.entropy {
		return x, nil
	}
	return x[:l.rows], x[l.rows:]
}

func (l *logProbs) forward(out []float32, in []values) {
	logProbs, entropies := l.split(out)
	kernel.LogProbs(logProbs, entropies, in[0].float, in[1].index, l.rows, l.vocab)
}

func (l *logProbs) backward(_, dout []float32, in []values) {
	dLogProbs, dEntropies := l.split(dout)
	kernel.LogProbsGrad(in[0].grad, dLogProbs, dEntropies, in[1].index, l.rows, l.vocab)
}

func (l *logProbs) backwardReads() (inputs, output bool) { return true, false }

func (l *logProbs) describe(int) description {
	d := description{"Log-probabilities", Loss, "log softmax(z)[target]", []string{"z", "targets"}, []string{"dz = dy·(onehot − softmax(z))", ""}}
	if l.entropy {
		d.name, d.formula = "Log-probabilities and entropies", "log p[target], H = −Σ p·log p, p = softmax(z)"
		d.gradients[0] = "dz = dy·(onehot − p) − dH·p·(log p + H)"
	}
	return d
}
