package sample

import (
	"errors"
	"math"
)

// PresencePenalty is subtracted from the logits of tokens that were drawn before,
// however often (OpenAI's API reference, "Frequency and presence penalties"). Tokens
// of the prompt don't count. 0 is none; below 0 repetition is encouraged.
type PresencePenalty float64

// Usage says what the setting does.
func (PresencePenalty) Usage() string {
	return "subtract `X` from the logits of tokens that were drawn before; 0: don't"
}

// Validate says what is wrong with the setting.
func (p PresencePenalty) Validate() error { return checkPenalty(float64(p)) }

// IsDefault reports whether the setting changes nothing.
func (p PresencePenalty) IsDefault() bool { return p == 0 }

// Apply lowers the scores.
func (p PresencePenalty) Apply(c *Candidates) {
	for i, token := range c.Tokens {
		if c.history.drawn[token] > 0 {
			c.Scores[i] -= float32(p)
		}
	}
}

// FrequencyPenalty is subtracted from the logits of tokens once for each time that
// they were drawn before (as PresencePenalty). 0 is none.
type FrequencyPenalty float64

// Usage says what the setting does.
func (FrequencyPenalty) Usage() string {
	return "subtract `X` from a token's logit for each time that it was drawn before; 0: don't"
}

// Validate says what is wrong with the setting.
func (p FrequencyPenalty) Validate() error { return checkPenalty(float64(p)) }

// IsDefault reports whether the setting changes nothing.
func (p FrequencyPenalty) IsDefault() bool { return p == 0 }

// Apply lowers the scores.
func (p FrequencyPenalty) Apply(c *Candidates) {
	for i, token := range c.Tokens {
		c.Scores[i] -= float32(p) * float32(c.history.drawn[token])
	}
}

// maxPenalty keeps scores far from float32's limits.
const maxPenalty = 1e6

func checkPenalty(p float64) error {
	if !(math.Abs(p) <= maxPenalty) {
		return errors.New("expected -1e6 to 1e6; 0 is no penalty")
	}
	return nil
}
