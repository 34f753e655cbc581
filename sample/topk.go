package sample

import "errors"

// TopK keeps the k candidates with the largest scores, and any that score the same
// as the last of them (Fan et al., "Hierarchical Neural Story Generation", 2018, section
// 5.4); 0 keeps all.
type TopK int

// Usage says what the setting does.
func (TopK) Usage() string { return "draw from the `K` likeliest tokens; 0: from all" }

// Validate says what is wrong with the setting.
func (k TopK) Validate() error {
	if k < 0 {
		return errors.New("expected 0 (all tokens) or more")
	}
	return nil
}

// IsDefault reports whether the setting changes nothing.
func (k TopK) IsDefault() bool { return k == 0 }

// Apply drops the others.
func (k TopK) Apply(c *Candidates) {
	if int(k) < len(c.Scores) {
		c.keepFrom(c.largest(int(k)))
	}
}

// largest returns the k-th largest score: the root of a heap that holds the k
// largest scores seen so far.
func (c *Candidates) largest(k int) float32 {
	h := append(c.heap[:0], c.Scores[:k]...)
	c.heap = h
	for i := k/2 - 1; i >= 0; i-- {
		sink(h, i)
	}
	for _, s := range c.Scores[k:] {
		if s > h[0] {
			h[0] = s
			sink(h, 0)
		}
	}
	return h[0]
}

// sink restores the order of a min-heap below index i.
func sink(h []float32, i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
