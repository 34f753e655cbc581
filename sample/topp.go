package sample

import (
	"errors"
	"slices"
)

// TopP keeps the fewest candidates whose probabilities sum to p, the nucleus
// (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, section
// 3.1); 1 keeps all. If equally likely ones meet at the border, those with lower
// token ids stay.
type TopP float64

// Usage says what the setting does.
func (TopP) Usage() string {
	return "draw from the fewest tokens whose probabilities sum to `P`; 1: from all"
}

// Validate says what is wrong with the setting.
func (p TopP) Validate() error {
	if !(p > 0 && p <= 1) {
		return errors.New("expected more than 0, up to 1 (all tokens); for the likeliest token alone take temperature 0")
	}
	return nil
}

// IsDefault reports whether the setting changes nothing.
func (p TopP) IsDefault() bool { return p == 1 }

// Apply drops the others.
func (p TopP) Apply(c *Candidates) {
	probs := c.Probabilities()
	// Candidates that together can't have more than 1-p are dropped without sorting
	// (a little less, so that rounding doesn't drop the likeliest).
	negligible := float32(0.999 * (1 - float64(p)) / float64(len(probs)))
	likely := c.likely[:0]
	for i, q := range probs {
		if q > negligible {
			likely = append(likely, share{c.Scores[i], q, int32(i)})
		}
	}
	c.likely = likely
	last := border(likely, float64(p)*(1-rounding)) // a sum may miss p by rounding
	n := 0
	for i, s := range c.Scores {
		if s > last.score || s == last.score && int32(i) <= last.index {
			c.Tokens[n], c.Scores[n] = c.Tokens[i], s
			n++
		}
	}
	c.cut(n)
}

// share is a candidate's score, probability, and index among the candidates.
type share struct {
	score, prob float32
	index       int32
}

// before reports whether s comes before t in the order of descending probability.
func (s share) before(t share) bool {
	return s.score > t.score || s.score == t.score && s.index < t.index
}

// border returns the share at which the sum of the largest shares reaches p. Like
// quickselect it sorts only the part where that happens: it splits the shares around
// one of them and continues with the side in which the sum is reached.
func border(shares []share, p float64) share {
	const few = 16
	sum := 0.0
	for len(shares) > few {
		pivot := middle(shares[0], shares[len(shares)/2], shares[len(shares)-1])
		n, larger := 0, 0.0 // those before the pivot, and their sum
		for i, s := range shares {
			if s.before(pivot) {
				shares[i], shares[n] = shares[n], s
				n++
				larger += float64(s.prob)
			}
		}
		if sum+larger >= p {
			shares = shares[:n]
		} else {
			sum += larger
			shares = shares[n:]
		}
	}
	slices.SortFunc(shares, func(s, t share) int {
		if s.before(t) {
			return -1
		}
		return 1
	})
	for _, s := range shares {
		if sum += float64(s.prob); sum >= p {
			return s
		}
	}
	return shares[len(shares)-1] // rounding left a remainder
}

// middle returns the second of three shares.
func middle(a, b, c share) share {
	if b.before(a) {
		a, b = b, a
	}
	if c.before(a) {
		return a
	}
	if c.before(b) {
		return c
	}
	return b
}
