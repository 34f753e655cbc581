package sample

import (
	"errors"
	"math"
)

// MinP keeps the candidates that are at least p times as likely as the likeliest one
// (Nguyen et al., "Turning Up the Heat: Min-p Sampling", 2024, section 3); 0 keeps
// all.
type MinP float64

// Usage says what the setting does.
func (MinP) Usage() string {
	return "draw from the tokens that are at least `P` times as likely as the likeliest; 0: from all"
}

// Validate says what is wrong with the setting.
func (p MinP) Validate() error {
	if !(p >= 0 && p <= 1) {
		return errors.New("expected 0 (all tokens) to 1")
	}
	return nil
}

// IsDefault reports whether the setting changes nothing.
func (p MinP) IsDefault() bool { return p == 0 }

// Apply drops the others.
func (p MinP) Apply(c *Candidates) {
	// A ratio of probabilities is a difference of logits.
	top := float64(maximum(c.Scores))
	least := top + math.Log(float64(p))
	// A candidate at the border may be below it by rounding.
	c.keepFrom(float32(least - rounding*max(1, math.Abs(top), math.Abs(least))))
}

// rounding bounds the relative error of float32 scores and sums of probabilities. A
// candidate that misses a filter's border by less is on the border.
const rounding = 1e-6

func maximum(xs []float32) float32 {
	m := xs[0]
	for _, x := range xs {
		m = max(m, x)
	}
	return m
}
