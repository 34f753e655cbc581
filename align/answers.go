package align

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/train"
)

// answers is the common part of objectives whose loss is a function of the log-probabilities
// of answers' tokens. It has a graph for each of several lengths.
type answers struct {
	batch   int   // sequences in a graph
	lengths []int // tokens of a sequence in each graph
	graphs  map[*model.Graph]*answerGraph
}

// answerGraph has a graph's inputs besides its tokens, and the batch that it computes.
type answerGraph struct {
	targets []int32
	spans   []span
	loss    func(logProbs, grad []float64) float64 // of this batch
}

// shapes returns the shapes of the graphs.
func (a *answers) shapes() (shapes []train.Shape) {
	for _, l := range a.lengths {
		shapes = append(shapes, train.Shape{Batch: a.batch, Context: l})
	}
	return shapes
}

// build adds to a graph the log-probabilities of the targets and a loss, called name, of those
// that the batch's spans pick.
func (a *answers) build(g *model.Graph, name string) *G.Node {
	if a.graphs == nil {
		a.graphs = map[*model.Graph]*answerGraph{}
	}
	in := &answerGraph{}
	a.graphs[g] = in
	var targets *G.Node
	targets, in.targets = ignoredTargets(g)
	return g.Loss(name, func(x, grad [][]float32) float64 {
		if in.loss == nil {
			return 0
		}
		logProbs := gather(x[0], in.spans)
		d := make([]float64, len(logProbs))
		loss := in.loss(logProbs, d)
		if grad != nil {
			scatter(grad[0], in.spans, d)
		}
		return loss
	}, g.LogProbs(g.Logits(), targets))
}

// fill puts a batch into a graph. loss gets the log-probabilities of all answers' tokens, one
// sequence after another, and writes its gradient with respect to them to grad.
func (a *answers) fill(g *model.Graph, sequences []Sequence, loss func(logProbs, grad []float64) float64) {
	in := a.graphs[g]
	in.spans, in.loss = place(g, sequences, in.targets), loss
}

// split cuts x, which has a number for each token of all answers, into those of each answer.
func split(x []float64, sequences []Sequence) (parts [][]float64) {
	for _, s := range sequences {
		parts = append(parts, x[:s.Answer()])
		x = x[s.Answer():]
	}
	return parts
}

// tokensOf returns how many tokens the answers have.
func tokensOf(sequences []Sequence) (n int) {
	for _, s := range sequences {
		n += s.Answer()
	}
	return n
}

// pick returns the elements of list with these indices.
func pick[T any](list []T, numbers []int) []T {
	out := make([]T, 0, len(numbers))
	for _, n := range numbers {
		out = append(out, list[n])
	}
	return out
}

// ignoredTargets adds to a graph an input for the targets of all positions, [B·T], which are
// op.Ignore at first.
func ignoredTargets(g *model.Graph) (*G.Node, []int32) {
	node, targets := g.Indices("targets", g.Batch*g.Context)
	for i := range targets {
		targets[i] = op.Ignore
	}
	return node, targets
}
