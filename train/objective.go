package train

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/data"
	"tinygpt/model"
)

// Objective is a loss over the model's hidden states and the batches that it is
// computed on.
type Objective interface {
	// Build adds the inputs that the loss needs and returns the scalar loss.
	Build(g *model.Graph) *G.Node
	// Fill writes the batch of the given step and micro-batch into the graph that
	// Build saw. It is a function of its arguments, so a run can be resumed.
	Fill(g *model.Graph, step, micro int)
}

// Bucketed is an Objective whose batches have several shapes. The Trainer builds a
// graph for each, over the same parameters.
type Bucketed interface {
	Objective
	Shapes() []Shape
	// Bucket is which of the shapes a batch has. As Fill, it is a function of its
	// arguments.
	Bucket(step, micro int) int
}

// Shape is that of a batch: sequences of so many tokens.
type Shape struct{ Batch, Context int }

// LanguageModel is next-token prediction: the mean cross-entropy of each token
// given those before it (Radford et al. 2018, equation 1).
type LanguageModel struct {
	Batches *data.Sampler
	targets []int32
}

// Build adds the output head and the targets [B·T].
func (l *LanguageModel) Build(g *model.Graph) *G.Node {
	var targets *G.Node
	targets, l.targets = g.Indices("targets", g.Batch*g.Context)
	return g.CrossEntropy(g.Logits(), targets)
}

// Fill takes windows of the corpus.
func (l *LanguageModel) Fill(g *model.Graph, step, micro int) {
	l.Batches.Batch(step, micro, g.Tokens, l.targets)
}
