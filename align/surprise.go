package align

import (
	"context"

	"tinygpt/data/instruct"
	"tinygpt/model"
)

// Reader reads answers with a language model for a reward model: it sets the type of each token
// to a level of surprise, −log p. A reward model would be slow to learn how likely an answer is
// to the model that wrote it. Types are special tokens, see instruct.WithSurprise.
type Reader struct {
	Model *model.Model

	none   int32   // the type of a prompt's tokens
	levels []int32 // types of an answer's tokens, from the most to the least expected
	scorer *scorer
}

// bounds are the limits between levels of surprise, in nats.
var bounds = [instruct.SurpriseLevels - 1]float64{0.05, 0.3, 1, 2, 3, 4, 5, 6.5, 9}

// NewReader returns a reader that reads with m. none and levels, of which there are
// instruct.SurpriseLevels, are the special tokens of the types.
func NewReader(m *model.Model, none int32, levels []int32) *Reader {
	return &Reader{m, none, levels, newScorer(m, false)}
}

// Read sets the sequences' types. The end of ctx is an error.
func (r *Reader) Read(ctx context.Context, sequences []Sequence) error {
	return r.scorer.each(ctx, sequences, func(g *scoring, numbers []int, spans []span) {
		out := g.out.Value().Data().([]float32)
		for i, n := range numbers {
			s := &sequences[n]
			s.Types = make([]int32, len(s.Tokens))
			for j := range s.Prompt {
				s.Types[j] = r.none
			}
			for j, l := range gather(out, spans[i:i+1]) {
				s.Types[s.Prompt+j] = r.levels[level(-l)]
			}
		}
	})
}

// level returns the level of a surprise in nats, from 0.
func level(nats float64) int {
	n := 0
	for n < len(bounds) && nats > bounds[n] {
		n++
	}
	return n
}

// ReadGroups sets the types of the groups' sequences, as Read does.
func (r *Reader) ReadGroups(ctx context.Context, groups []Group) error {
	var all []Sequence
	for _, g := range groups {
		all = append(all, g.Sequences...)
	}
	if err := r.Read(ctx, all); err != nil {
		return err
	}
	for _, g := range groups {
		all = all[copy(g.Sequences, all):]
	}
	return nil
}
