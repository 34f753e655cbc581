package finetune

import (
	"math"

	G "gorgonia.org/gorgonia"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/model/op"
)

// classes is the head of one class out of several: softmax over a score for each
// (Radford et al. 2018, equation 3), and the cross-entropy.
type classes struct{ names labelled.Classes }

func (h *classes) outputs() int { return len(h.names) }

func (h *classes) label(it *Item) error {
	i, err := h.names.Index(it.Example)
	it.Class = int32(i)
	return err
}

func (h *classes) labels(*Item) int { return 1 }

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

func (h *classes) cost(it *Item, scores []float32) float64 {
	return -math.Log(max(softmax(scores)[it.Class], math.SmallestNonzeroFloat64))
}

func (h *classes) predict(_ *Item, scores []float32) Prediction {
	p := softmax(scores)
	return Prediction{Class: largest(p), Probabilities: p}
}

func softmax(scores []float32) []float64 {
	p := make([]float64, len(scores))
	shift, sum := math.Inf(-1), 0.0
	for _, s := range scores {
		shift = max(shift, float64(s))
	}
	for i, s := range scores {
		p[i] = math.Exp(float64(s) - shift)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func largest(p []float64) (best int) {
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}

func (h *classes) metrics() []string { return []string{"accuracy", "macro_f1", "matthews"} }

func (h *classes) measure(e *Evaluation, judged []Judged) {
	var truth, predicted []int
	for _, j := range judged {
		truth, predicted = append(truth, int(j.Class)), append(predicted, j.Prediction.Class)
	}
	e.countClasses(h.names, truth, predicted)
}
