package finetune

import (
	"math"

	"tinygpt/data/labelled"
)

// oneOf is what classes and choices share: an example has one of several labels, whose
// probabilities are a softmax over their scores.
type oneOf[Names interface {
	Index(labelled.Example) (int, error)
}] struct{ names Names }

func (h *oneOf[Names]) label(it *Item) error {
	i, err := h.names.Index(it.Example)
	it.Class = int32(i)
	return err
}

func (h *oneOf[Names]) labels(*Item) int { return 1 }

func (h *oneOf[Names]) cost(it *Item, scores []float32) float64 {
	return surprise(softmax(scores)[it.Class])
}

func (h *oneOf[Names]) predict(_ *Item, scores []float32) Prediction {
	p := softmax(scores)
	return Prediction{Class: largest(p), Probabilities: p}
}

// surprise is −ln p, and finite also for a p that was rounded to 0.
func surprise(p float64) float64 { return -math.Log(max(p, math.SmallestNonzeroFloat64)) }

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

// largest returns the index of the largest, the first of equal ones.
func largest(p []float64) (best int) {
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}
