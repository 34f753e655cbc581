package align

import (
	G "gorgonia.org/gorgonia"

	"tinygpt/align/loss"
	"tinygpt/model"
	"tinygpt/train"
)

// supervised is fine-tuning on demonstrations: the mean over the answers' tokens, their
// ends included, of −log p. Prompts and padding count for nothing.
type supervised struct {
	answers
	sequences    []Sequence
	order        order
	accumulation int
}

func newSupervised(sequences []Sequence, c Supervised, accumulation, context int, seed uint64) *supervised {
	var sizes []int
	for _, s := range sequences {
		sizes = append(sizes, len(s.Tokens))
	}
	// A batch holds each demonstration once at most.
	return &supervised{
		answers:   answers{batch: min(c.BatchSize, len(sequences)), lengths: lengths(longest(sequences), context)},
		sequences: sequences, order: newOrder(sizes, c.BatchSize, c.Epochs, seed), accumulation: accumulation,
	}
}

// Build adds the loss.
func (s *supervised) Build(g *model.Graph) *G.Node { return s.build(g, "−mean log p of answers") }

// Shapes are those of the lengths.
func (s *supervised) Shapes() []train.Shape { return s.shapes() }

// Bucket is the length of a batch.
func (s *supervised) Bucket(step, micro int) int {
	return fitting(s.lengths, longest(s.batchAt(step, micro)))
}

func (s *supervised) batchAt(step, micro int) []Sequence {
	return pick(s.sequences, s.order.at(step*s.accumulation+micro))
}

// Fill writes a batch of demonstrations.
func (s *supervised) Fill(g *model.Graph, step, micro int) error {
	// The mean is over the tokens of the whole update, and the trainer takes the mean
	// over its batches.
	tokens := 0
	for m := range s.accumulation {
		tokens += tokensOf(s.batchAt(step, m))
	}
	weight := float64(s.accumulation)
	s.fill(g, s.batchAt(step, micro), func(logProbs, grad []float64) float64 {
		l := loss.NLL(logProbs, tokens, grad)
		for i := range grad {
			grad[i] *= weight
		}
		return weight * l
	})
	return nil
}
