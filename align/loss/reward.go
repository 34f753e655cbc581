package loss

import "math"

// LogSigmoid is log σ(x), finite for any finite x.
func LogSigmoid(x float64) float64 {
	if x < 0 {
		return x - math.Log1p(math.Exp(x))
	}
	return -math.Log1p(math.Exp(-x))
}

// Sigmoid is 1/(1 + e^−x).
func Sigmoid(x float64) float64 { return math.Exp(LogSigmoid(x)) }

// Pairs is the loss of a reward model on the answers to one prompt: the mean over the
// pairs (better, worse) of −log σ(s_better − s_worse) (Ouyang et al. 2022, equation 1,
// where the mean is written 1/C(K,2) Σ). Times weight, its gradient is added to grad,
// which may be nil. margins are the differences.
func Pairs(scores []float64, pairs [][2]int, weight float64, grad []float64) (loss float64, margins []float64) {
	n := float64(len(pairs))
	for _, p := range pairs {
		d := scores[p[0]] - scores[p[1]]
		margins = append(margins, d)
		loss -= LogSigmoid(d) / n
		if grad != nil {
			slope := weight * Sigmoid(-d) / n
			grad[p[0]] -= slope
			grad[p[1]] += slope
		}
	}
	return weight * loss, margins
}

// RankPairs are the pairs (better, worse) that ranks say, the smaller being better. Ties
// are left out.
func RankPairs(ranks []int) (pairs [][2]int) {
	for i := range ranks {
		for j := range ranks {
			if ranks[i] < ranks[j] {
				pairs = append(pairs, [2]int{i, j})
			}
		}
	}
	return pairs
}
