package sample

import (
	"math"
	"slices"

	"tinygpt/model/kernel"
)

// Step is one drawn token, the characters that became final with it, and what it was
// drawn from. It is valid only during the call of OnToken.
type Step struct {
	Token int32 // may be one of Request.End
	// Text is what is final now and wasn't before: whole characters, without what
	// could still become a stop text.
	Text   string
	Finish Finish // why this is the text's last token, if it is

	logits     []float32
	candidates *Candidates
	chosen     int // index of Token among the candidates
}

// Candidate is a token that could have been drawn.
type Candidate struct {
	Token int32
	Rank  int // by probability before, from 1
	// Before is the model's own probability; After is the one after temperature and
	// filters, with which it could be drawn: 0 if they dropped it.
	Before, After float64
}

// LogProb is the natural logarithm of the model's own probability of the token,
// before temperature and filters.
func (s *Step) LogProb() float64 {
	loss, _ := kernel.CrossEntropy(nil, s.logits, []int32{s.Token}, 1, len(s.logits))
	return -loss
}

// Entropy returns the entropies, in bits, of the model's distribution before and
// after temperature and filters.
func (s *Step) Entropy() (before, after float64) {
	return entropy(s.before()), entropy(s.candidates.Probabilities())
}

func (s *Step) before() []float32 {
	p := make([]float32, len(s.logits))
	kernel.Softmax(p, s.logits, 1, len(p))
	return p
}

func entropy(probs []float32) (bits float64) {
	for _, p := range probs {
		if p > 0 {
			bits -= float64(p) * math.Log2(float64(p))
		}
	}
	return bits
}

// Kept is the number of candidates that the filters left.
func (s *Step) Kept() int { return len(s.candidates.Tokens) }

// Top returns the n likeliest tokens by the model's own probabilities, and the
// drawn one if it isn't among them.
func (s *Step) Top(n int) []Candidate {
	before := s.before()
	all := make([]Candidate, len(before))
	for i, p := range before {
		all[i] = Candidate{Token: int32(i), Before: float64(p)}
	}
	for i, p := range s.candidates.Probabilities() {
		all[s.candidates.Tokens[i]].After = float64(p)
	}
	slices.SortFunc(all, func(a, b Candidate) int {
		// Logits tell apart what rounds to one probability.
		if x, y := s.logits[a.Token], s.logits[b.Token]; x != y {
			if x > y {
				return -1
			}
			return 1
		}
		return int(a.Token - b.Token)
	})
	for i := range all {
		all[i].Rank = i + 1
	}
	n = min(n, len(all))
	if i := slices.IndexFunc(all, func(c Candidate) bool { return c.Token == s.Token }); i >= n {
		return append(all[:n:n], all[i])
	}
	return all[:n]
}
