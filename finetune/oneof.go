package finetune

import (
	"math"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
)

// oneOf is the common part of the heads classes and choices: an example has one of several
// labels, whose probabilities are a softmax over their scores.
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

// surprise returns −ln p, which is finite even for a p that was rounded to 0.
func surprise(p float64) float64 { return -math.Log(max(p, math.SmallestNonzeroFloat64)) }

// softmax returns the probabilities of scores, in float64.
func softmax(scores []float32) []float64 {
	p := make([]float64, len(scores))
	for i, s := range scores {
		p[i] = float64(s)
	}
	linear.Softmax(p)
	return p
}

// largest returns the index of the largest number, the first of equal ones.
func largest(p []float64) (best int) {
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	return best
}
