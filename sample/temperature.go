package sample

import (
	"errors"
	"math"

	"tinygpt/model/kernel"
)

// Temperature divides the logits: below 1 the likely get likelier; 0 takes the
// likeliest always (greedy), of several the one with the lowest number.
type Temperature float64

// coldest is the least temperature that isn't 0: below, float32 may overflow.
const coldest = 1e-6

func (Temperature) Usage() string {
	return "divide the logits by `T`: below 1 likely tokens get likelier; 0 takes the likeliest"
}

func (t Temperature) Validate() error {
	if t != 0 && !(t >= coldest) || math.IsInf(float64(t), 1) {
		return errors.New("expected 0 (greedy), or 1e-6 or more")
	}
	return nil
}

func (t Temperature) Off() bool { return t == 1 }

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
}
