package loss

import "math"

// LogSigmoid returns log σ(x), which is finite for any finite x.
func LogSigmoid(x float64) float64 {
	if x < 0 {
		return x - math.Log1p(math.Exp(x))
	}
	return -math.Log1p(math.Exp(-x))
}

// Sigmoid returns 1/(1 + e^−x).
func Sigmoid(x float64) float64 { return math.Exp(LogSigmoid(x)) }

// Pairs returns weight times the loss of a reward model on the answers to one prompt: the mean
// over the pairs (better, worse) of −log σ(s_better − s_worse) (Ouyang et al. 2022, equation 1,
// where the mean is written 1/C(K,2) Σ). It adds the gradient with respect to the scores to
// grad, which may be nil. margins has s_better − s_worse for each pair.
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

// RankPairs returns the pairs (better, worse) of answers with these ranks, of which smaller
// ones are better. Answers of the same rank make no pair.
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
