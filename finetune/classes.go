package finetune

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/model/op"
)

// classes is the head of one class out of several: softmax over a score for each
// (Radford et al. 2018, equation 3), and the cross-entropy.
type classes struct{ oneOf[labelled.Classes] }

func (h *classes) outputs() int { return len(h.names) }

func (h *classes) loss(g *model.Graph, scores *G.Node, _ *Batches) (*G.Node, func([]batchItem)) {
	node, labels := g.Indices("labels", scores.Shape()[0])
	return g.CrossEntropy(scores, node), func(batch []batchItem) {
		for i := range labels {
			labels[i] = op.Ignore
		}
		for i, it := range batch { // items have one row each
			labels[i] = it.Class
		}
	}
}

func (h *classes) metrics() []string { return []string{"accuracy", "macro_f1", "matthews"} }

func (h *classes) measure(e *Evaluation, judged []Judged) {
	var truth, predicted []int
	for _, j := range judged {
		truth, predicted = append(truth, int(j.Class)), append(predicted, j.Prediction.Class)
	}
	e.countClasses(h.names, truth, predicted)
}
