package sample

import (
	"errors"
	"math"
)

// RepetitionPenalty makes tokens less likely that the text, prompt included, holds
// already: it divides their logits if positive, and multiplies them if negative
// (Keskar et al., "CTRL", 2019, section 4.1, in the form that transformers gave it).
// 1 is none; below 1 repetition is encouraged.
type RepetitionPenalty float64

func (RepetitionPenalty) Usage() string {
	return "divide positive logits of tokens that came before by `X`, multiply negative ones; 1: don't"
}

func (p RepetitionPenalty) Validate() error {
	if !(p > 0) || math.IsInf(float64(p), 1) {
		return errors.New("expected more than 0; 1 is no penalty")
	}
	return nil
}

func (p RepetitionPenalty) Off() bool { return p == 1 }

func (p RepetitionPenalty) Apply(c *Candidates) {
	penalty := float32(p)
	for i, token := range c.Tokens {
		switch s := &c.Scores[i]; {
		case !c.seen[token]:
		case *s < 0:
			*s *= penalty
		default:
			*s /= penalty
		}
	}
}
