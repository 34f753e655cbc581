package perf

import (
	"math"
	"slices"
)

// Spread summarises a figure that was measured several times.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// SpreadOf summarises the values of x, of which there must be at least one.
func SpreadOf(x []float64) Spread {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return Spread{s[0], (s[(n-1)/2] + s[n/2]) / 2, s[n-1]}
}

// Ratios divides value by value: of[i]/to[i], measured in the same round.
func Ratios(of, to []float64) []float64 {
	r := make([]float64, len(of))
	for i := range r {
		r[i] = of[i] / to[i]
	}
	return r
}

// GeometricMean returns the geometric mean of x, as is right for ratios.
func GeometricMean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(x)))
}
