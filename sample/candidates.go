package sample

import (
	"math"

	"tinygpt/model/kernel"
)

// Candidates are the tokens that may come next and their scores: at first the whole
// vocabulary with its logits, then what the filters leave. They stay in the order of
// their ids: if they were sorted by score, a difference in the last bit could swap
// two of them, and the same random number would choose another token.
type Candidates struct {
	Tokens []int32
	Scores []float32

	history *history  // of the text; for penalties
	probs   []float32 // result of Probabilities
	heap    []float32 // working memory of TopK
	likely  []share   // working memory of TopP
}

// start makes every token a candidate.
func (c *Candidates) start(logits []float32, h *history) {
	c.Scores = append(c.Scores[:0], logits...)
	c.history = h
	if cap(c.Tokens) < len(logits) {
		c.Tokens = make([]int32, len(logits))
	}
	c.Tokens = c.Tokens[:len(logits)]
	for i := range c.Tokens {
		c.Tokens[i] = int32(i)
	}
}

// bound replaces infinite scores by the largest numbers: a filter that divides may have made
// them of the logits of a model whose weights are damaged. Other filters need numbers.
func (c *Candidates) bound() {
	if kernel.FirstNonFinite(c.Scores) < 0 {
		return
	}
	for i, s := range c.Scores {
		c.Scores[i] = max(-math.MaxFloat32, min(s, math.MaxFloat32))
	}
}

// keepFrom drops the candidates that score below least.
func (c *Candidates) keepFrom(least float32) {
	n := 0
	for i, s := range c.Scores {
		if s >= least {
			c.Tokens[n], c.Scores[n] = c.Tokens[i], s
			n++
		}
	}
	c.cut(n)
}

// cut keeps the first n only.
func (c *Candidates) cut(n int) { c.Tokens, c.Scores = c.Tokens[:n], c.Scores[:n] }

// Probabilities returns the softmax of the scores. It is valid until the next call.
func (c *Candidates) Probabilities() []float32 {
	n := len(c.Scores)
	if cap(c.probs) < n {
		c.probs = make([]float32, n)
	}
	c.probs = c.probs[:n]
	kernel.Softmax(c.probs, c.Scores, 1, n)
	return c.probs
}

// draw returns the index of the candidate that a random number at in [0, 1) chooses:
// each has a part of that interval as large as its share of the sum of probs.
func draw(probs []float32, at float64) int {
	sum, last := 0.0, 0
	for i, p := range probs {
		if p > 0 {
			last = i
		}
		sum += float64(p)
	}
	at *= sum
	for i, p := range probs {
		if at -= float64(p); at < 0 {
			return i
		}
	}
	return last // rounding left a remainder
}
