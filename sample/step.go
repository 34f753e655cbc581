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

	logProb    float64 // result of LogProb; 0: not computed yet
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
	if s.logProb == 0 {
		loss, _ := kernel.CrossEntropy(nil, s.logits, []int32{s.Token}, 1, len(s.logits))
		s.logProb = -loss
	}
	return s.logProb
}

// LogProbOf is LogProb of any token in place of the drawn one.
func (s *Step) LogProbOf(token int32) float64 {
	return s.LogProb() + (float64(s.logits[token]) - float64(s.logits[s.Token]))
}

// Likeliest returns the n likeliest tokens by the model's own probabilities, the
// likeliest first.
func (s *Step) Likeliest(n int) []int32 {
	if n = min(n, len(s.logits)); n == 0 {
		return nil
	}
	var c Candidates
	c.Scores = s.logits
	least := c.largest(n)
	var tokens []int32
	for i, x := range s.logits {
		if x >= least {
			tokens = append(tokens, int32(i))
		}
	}
	slices.SortFunc(tokens, func(a, b int32) int {
		if s.before(a, b) {
			return -1
		}
		return 1
	})
	return tokens[:n]
}

// before reports whether a token comes before another in the order of the model's
// own probabilities. Logits tell apart what rounds to the same probability.
func (s *Step) before(a, b int32) bool {
	x, y := s.logits[a], s.logits[b]
	return x > y || x == y && a < b
}

// Entropy returns the entropies, in bits, of the model's distribution before and
// after temperature and filters.
func (s *Step) Entropy() (before, after float64) {
	return entropy(s.probabilities()), entropy(s.candidates.Probabilities())
}

// probabilities returns the model's own distribution [V].
func (s *Step) probabilities() []float32 {
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
	tokens := s.Likeliest(n)
	before, after := s.probabilities(), s.candidates.Probabilities()
	list := make([]Candidate, 0, len(tokens)+1)
	add := func(token int32, rank int) {
		c := Candidate{Token: token, Rank: rank, Before: float64(before[token])}
		if i, ok := slices.BinarySearch(s.candidates.Tokens, token); ok {
			c.After = float64(after[i])
		}
		list = append(list, c)
	}
	for i, token := range tokens {
		add(token, i+1)
	}
	if !slices.Contains(tokens, s.Token) {
		rank := 1
		for token := range s.logits {
			if s.before(int32(token), s.Token) {
				rank++
			}
		}
		add(s.Token, rank)
	}
	return list
}
