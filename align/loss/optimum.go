package loss

import (
	"cmp"
	"math"
	"slices"
)

// Optimum returns the best policy for the objective E[r] − β·KL over a choice that can be
// enumerated: π_ref·e^{r/β}/Z, for which the objective is β·log Z (Ziegler et al. 2019;
// Rafailov et al. 2023, appendix A.1). ref has the probabilities of π_ref.
func Optimum(ref, reward []float64, beta float64) (policy []float64, objective float64) {
	z := make([]float64, len(ref))
	for i := range ref {
		z[i] = math.Log(ref[i]) + reward[i]/beta
	}
	logs := LogSoftmax(z)
	for _, l := range logs {
		policy = append(policy, math.Exp(l))
	}
	return policy, beta * (z[0] - logs[0])
}

// BestOf returns the distribution of the best of n draws from the distribution ref. No two
// rewards may be the same.
func BestOf(n int, ref, reward []float64) []float64 {
	order := make([]int, len(ref))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(reward[a], reward[b]) })
	out := make([]float64, len(ref))
	below := 0.0
	for _, i := range order {
		out[i] = math.Pow(below+ref[i], float64(n)) - math.Pow(below, float64(n))
		below += ref[i]
	}
	return out
}

// BestOfKL returns ln n − (n−1)/n, in nats: an upper bound of KL(best of n‖policy), which it
// comes close to where no two answers have the same reward (Beirami et al. 2024).
func BestOfKL(n int) float64 { return math.Log(float64(n)) - float64(n-1)/float64(n) }

// ExpectBestOf estimates the expected value of the best of n answers, where proxy says which is
// the best, from N ≥ n answers that were drawn: it is the mean over all subsets of n of them,
// which is unbiased and has less noise than one subset (Nakano et al. 2021, appendix I).
func ExpectBestOf(n int, proxy, value []float64) (mean float64) {
	total := len(proxy)
	order := make([]int, total)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(proxy[a], proxy[b]) })
	// P(the best is the one of rank k, from 0) = C(k, n−1)/C(N, n).
	p := float64(n) / float64(total) // for k = N−1
	for k := total - 1; k >= n-1; k-- {
		mean += p * value[order[k]]
		p *= float64(k-n+1) / float64(k)
	}
	return mean
}
