package metric

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Pearson returns the linear correlation of two lists, from -1 to 1; 0 if one of them is
// constant or not finite.
func Pearson(x, y []float64) float64 {
	// The deviation of a constant list is not always 0: its mean is rounded.
	if len(x) == 0 || !finite(x) || !finite(y) || slices.Min(x) == slices.Max(x) || slices.Min(y) == slices.Max(y) {
		return 0
	}
	r := stat.Correlation(x, y, nil)
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return 0
	}
	return max(-1, min(r, 1))
}

// Spearman returns the correlation of the ranks, where equal values have the mean of their
// ranks; 0 if a list is constant or not finite.
func Spearman(x, y []float64) float64 {
	if !finite(x) || !finite(y) {
		return 0
	}
	return Pearson(ranks(x), ranks(y))
}

func finite(x []float64) bool {
	return !slices.ContainsFunc(x, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// ranks returns the rank of each value, from 0.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}
