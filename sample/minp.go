package sample

import (
	"errors"
	"math"
)

// MinP keeps the candidates that are at least p times as likely as the likeliest
// (Nguyen et al., "Turning Up the Heat: Min-p Sampling", 2024, section 3); 0 keeps
// all.
type MinP float64

func (MinP) Usage() string {
	return "draw from the tokens that are at least `P` times as likely as the likeliest; 0: from all"
}

func (p MinP) Validate() error {
	if !(p >= 0 && p <= 1) {
		return errors.New("expected 0 (all tokens) to 1")
	}
	return nil
}

func (p MinP) Off() bool { return p == 0 }

func (p MinP) Apply(c *Candidates) {
	// A ratio of probabilities is a difference of logits.
	exact := float64(maximum(c.Scores)) + math.Log(float64(p))
	least := float32(exact)
	if float64(least) < exact {
		least = math.Nextafter32(least, float32(math.Inf(1)))
	}
	c.keepFrom(least)
}

func maximum(xs []float32) float32 {
	m := xs[0]
	for _, x := range xs {
		m = max(m, x)
	}
	return m
}
