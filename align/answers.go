package align

import (
	"slices"

	G "gorgonia.org/gorgonia"

	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/train"
)

// answers is what objectives over the tokens of answers share: graphs for several
// lengths that end in the log-probabilities of the targets.
type answers struct {
	batch   int // sequences of a graph
	lengths []int
	graphs  map[*model.Graph]*answerGraph
}

// answerGraph is what a graph reads besides its tokens, and the batch that is in it.
type answerGraph struct {
	targets []int32
	spans   []span
	loss    func(logProbs, grad []float64) float64 // of this batch
}

// shapes are those of the graphs.
func (a *answers) shapes() (shapes []train.Shape) {
	for _, l := range a.lengths {
		shapes = append(shapes, train.Shape{Batch: a.batch, Context: l})
	}
	return shapes
}

// build adds the log-probabilities of targets and a loss of those that count.
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

// fill puts a batch into a graph, with its loss of the log-probabilities of the
// answers' tokens, one sequence after another.
func (a *answers) fill(g *model.Graph, sequences []Sequence, loss func(logProbs, grad []float64) float64) {
	in := a.graphs[g]
	in.spans, in.loss = place(g, sequences, in.targets), loss
}

// split cuts numbers of tokens, one sequence after another, into those of each.
func split(x []float64, sequences []Sequence) (parts [][]float64) {
	for _, s := range sequences {
		parts = append(parts, x[:s.Answer()])
		x = x[s.Answer():]
	}
	return parts
}

// tokensOf is how many tokens the answers have.
func tokensOf(sequences []Sequence) (n int) {
	for _, s := range sequences {
		n += s.Answer()
	}
	return n
}

// pick returns the elements with those numbers.
func pick[T any](list []T, numbers []int) []T {
	out := make([]T, 0, len(numbers))
	for _, n := range numbers {
		out = append(out, list[n])
	}
	return slices.Clip(out)
}

// ignoredTargets is an input for the targets of all positions, which begin as ignored.
func ignoredTargets(g *model.Graph) (*G.Node, []int32) {
	node, targets := g.Indices("targets", g.Batch*g.Context)
	for i := range targets {
		targets[i] = op.Ignore
	}
	return node, targets
}
