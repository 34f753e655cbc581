package align

import (
	"context"

	"tinygpt/data/instruct"
	"tinygpt/model"
)

// Reader is a language model that reads answers for a reward model and says of each token how
// little it expected it, as the token's type. A reward model learns slowly to compare what
// it reads with what it would have written; so it is told. Types are special tokens; see
// instruct.WithSurprise.
type Reader struct {
	Model *model.Model

	none   int32   // the type of a prompt's tokens
	levels []int32 // types from expected to unexpected
	scorer *scorer
}

// bounds of −log p, in nats, between one level of surprise and the next.
var bounds = [instruct.SurpriseLevels - 1]float64{0.05, 0.3, 1, 2, 3, 4, 5, 6.5, 9}

// NewReader returns the reader that m is, with the types' tokens: that of none, and those of
// the levels of surprise.
func NewReader(m *model.Model, none int32, levels []int32) *Reader {
	return &Reader{m, none, levels, newScorer(m, false)}
}

// Read sets the sequences' types.
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

// level is that of a surprise in nats.
func level(nats float64) int {
	n := 0
	for n < len(bounds) && nats > bounds[n] {
		n++
	}
	return n
}

// ReadGroups sets the types of the groups' sequences.
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
