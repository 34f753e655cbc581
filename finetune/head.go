package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/model"
)

// head says how the labels of a kind are read, what the loss of scores is, and what they
// predict. Each has a file of its own.
type head interface {
	// outputs returns the number of scores of a state.
	outputs() int
	// label reads the label of an item's example into the item.
	label(it *Item) error
	// labels returns how many labels an item adds to the mean that the loss is: one, or
	// one for each word that is tagged.
	labels(it *Item) int
	// loss adds the loss of scores [R, outputs] to a training graph, R being the rows
	// of a batch, and returns it with what sets the labels of a batch.
	loss(g *model.Graph, scores *G.Node, b *Batches) (*G.Node, func(batch []batchItem))
	// cost returns the loss of one item, for evaluation, and predict its prediction;
	// scores holds the outputs of each of the item's states, one after another.
	cost(it *Item, scores []float32) float64
	predict(it *Item, scores []float32) Prediction
	// metrics returns the names of the metrics that fit, the usual one first, and measure
	// computes all of them.
	metrics() []string
	measure(e *Evaluation, judged []Judged)
}

// batchItem is an item of a batch and the first of its sequences.
type batchItem struct {
	*Item
	sequence int
}

// Prediction is a model's prediction for an example.
type Prediction struct {
	// Class is the likeliest class or choice, Probabilities those of each.
	Class         int
	Probabilities []float64
	// Grade is the value that a regression head predicts.
	Grade float64
	// Tags are the likeliest tags of the words, Confidence their probabilities.
	Tags       []int
	Confidence []float64
}
