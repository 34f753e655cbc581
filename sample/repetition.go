package sample

import "errors"

// RepetitionPenalty makes tokens less likely that the prompt or the text holds
// already: it divides positive logits and multiplies negative ones
// (Keskar et al., "CTRL", 2019, section 4.1, in the form that transformers gave it).
// 1 is none; below 1 repetition is encouraged.
type RepetitionPenalty float64

// maxRepetition keeps scores far from float32's limits.
const maxRepetition = 1e3

// Usage says what the setting does.
func (RepetitionPenalty) Usage() string {
	return "divide positive logits of tokens that came before by `X`, multiply negative ones; 1: don't"
}

// Validate says what is wrong with the setting.
func (p RepetitionPenalty) Validate() error {
	if !(p >= 1/maxRepetition && p <= maxRepetition) {
		return errors.New("expected 0.001 to 1000; 1 is no penalty")
	}
	return nil
}

// IsDefault reports whether the setting changes nothing.
func (p RepetitionPenalty) IsDefault() bool { return p == 1 }

// Apply lowers the scores.
func (p RepetitionPenalty) Apply(c *Candidates) {
	penalty := float32(p)
	for i, token := range c.Tokens {
		switch s := &c.Scores[i]; {
		case !c.history.seen[token]:
		case *s < 0:
			*s *= penalty
		default:
			*s /= penalty
		}
	}
	c.bound()
}
