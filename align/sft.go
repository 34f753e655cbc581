package align

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/model"
	"tinygpt/train"
)

// supervised is the objective of fine-tuning on demonstrations: the mean of −log p over the
// answers' tokens, their ends included. Prompts and padding don't count.
type supervised struct {
	answers
	sequences []Sequence
	order     order
}

// newSupervised returns the objective for the sequences.
func newSupervised(sequences []Sequence, c Supervised, context int, seed uint64) *supervised {
	var sizes []int
	for _, s := range sequences {
		sizes = append(sizes, len(s.Tokens))
	}
	// A batch holds each demonstration once at most.
	return &supervised{
		answers:   answers{batch: min(c.BatchSize, len(sequences)), lengths: lengths(longest(sequences), context)},
		sequences: sequences, order: newOrder(sizes, c.BatchSize, c.Epochs, seed),
	}
}

// Build adds the loss.
func (s *supervised) Build(g *model.Graph) *G.Node { return s.build(g, "−mean log p of answers") }

// Shapes returns the shapes of the graphs, one for each length.
func (s *supervised) Shapes() []train.Shape { return s.shapes() }

// Bucket returns the index of the shape for a step.
func (s *supervised) Bucket(step, _ int) int { return fitting(s.lengths, longest(s.batchAt(step))) }

// batchAt returns the demonstrations of a step.
func (s *supervised) batchAt(step int) []Sequence { return pick(s.sequences, s.order.at(step)) }

// Fill writes a step's demonstrations into a graph.
func (s *supervised) Fill(g *model.Graph, step, _ int) error {
	s.fill(g, s.batchAt(step), func(logProbs, grad []float64) float64 {
		return loss.NLL(logProbs, len(logProbs), grad)
	})
	return nil
}
