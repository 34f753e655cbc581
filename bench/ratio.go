package main

import (
	"math"
	"slices"
)

// spread is a figure over the rounds.
type spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func spreadOf(x []float64) spread {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	if n == 0 {
		return spread{}
	}
	return spread{s[0], (s[(n-1)/2] + s[n/2]) / 2, s[n-1]}
}

// ratios of what was measured in the same round.
func ratios(of, to []float64) []float64 {
	r := make([]float64, min(len(of), len(to)))
	for i := range r {
		r[i] = of[i] / to[i]
	}
	return r
}

// geometricMean is the mean for ratios.
func geometricMean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(x)))
}
