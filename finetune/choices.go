package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/model/op"
)

// choices is the head of multiple choice: a score for each sequence, a softmax over the
// scores of an example, and the cross-entropy.
type choices struct{ oneOf[labelled.ChoiceLabels] }

func (h *choices) outputs() int { return 1 }

func (h *choices) loss(g *model.Graph, scores *G.Node, b *Batches) (*G.Node, func([]batchItem)) {
	columns := 0 // the maximum number of choices
	for _, it := range b.items {
		columns = max(columns, len(it.Sequences))
	}
	layout, index := g.Indices("layout", b.Examples*columns)
	node, labels := g.Indices("labels", b.Examples)
	return g.CrossEntropy(g.Choices(scores, layout, columns), node), func(batch []batchItem) {
		for i := range index {
			index[i] = op.None
		}
		for i := range labels {
			labels[i] = op.Ignore
		}
		for i, it := range batch {
			labels[i] = it.Class
			for j := range it.Sequences {
				index[i*columns+j] = int32(it.sequence + j)
			}
		}
	}
}

func (h *choices) metrics() []string { return []string{"accuracy"} }

func (h *choices) measure(e *Evaluation, judged []Judged) {
	right := 0
	for _, j := range judged {
		if j.Prediction.Class == int(j.Class) {
			right++
		}
	}
	e.Metrics["accuracy"] = float64(right) / float64(max(len(judged), 1))
}
