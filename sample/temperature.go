package sample

import (
	"errors"
	"math"

	"tinygpt/model/kernel"
)

// Temperature divides the logits: below 1 likely tokens get likelier. 0 always takes
// the likeliest token (greedy), and of equally likely ones the lowest id.
type Temperature float64

// coldest is the lowest temperature apart from 0: below it float32 may overflow.
const coldest = 1e-6

// Usage says what the setting does.
func (Temperature) Usage() string {
	return "divide the logits by `T`: below 1 likely tokens get likelier; 0 takes the likeliest"
}

// Validate says what is wrong with the setting.
func (t Temperature) Validate() error {
	if t != 0 && !(t >= coldest) || math.IsInf(float64(t), 1) {
		return errors.New("expected 0 (greedy), or 1e-6 or more")
	}
	return nil
}

// IsDefault reports whether the setting changes nothing.
func (t Temperature) IsDefault() bool { return t == 1 }

// Apply divides the scores, or with 0 keeps the likeliest candidate only.
func (t Temperature) Apply(c *Candidates) {
	if t == 0 {
		best := 0
		for i, s := range c.Scores {
			if s > c.Scores[best] {
				best = i
			}
		}
		c.Tokens[0], c.Scores[0] = c.Tokens[best], c.Scores[best]
		c.cut(1)
		return
	}
	kernel.Scale(c.Scores, float32(1/t))
	c.bound()
}
