package project

import (
	"math"
	"tinygpt/model/kernel"
)

// similarities returns p [n, n] (van der Maaten and Hinton 2008, equation 1 and section
// 3.1): p[j|i] is a Gaussian around row i whose width gives it the perplexity, and
// p[i,j] = (p[j|i] + p[i|j])/2n.
func similarities(m Matrix, perplexity float64) []float32 {
	n := m.Rows
	p := squaredDistances(m)
	kernel.Each(n, func(i int) { conditional(p[i*n:(i+1)*n], i, math.Log(perplexity)) })
	for i := range n {
		for j := range i {
			both := (p[i*n+j] + p[j*n+i]) / float32(2*n)
			p[i*n+j], p[j*n+i] = both, both
		}
	}
	return p
}

// squaredDistances returns the squared distances between all rows, [n, n]: |a|² + |b|² − 2a·b
// of the rows minus their mean, which keeps the rounding errors small.
func squaredDistances(m Matrix) []float32 {
	n, d := m.Rows, m.Dim
	means := make([]float64, d)
	for i := range n {
		for j, x := range m.Row(i) {
			means[j] += float64(x)
		}
	}
	rows, squares := make([]float32, n*d), make([]float64, n)
	for i := range n {
		for j, x := range m.Row(i) {
			v := float32(float64(x) - means[j]/float64(n))
			rows[i*d+j] = v
			squares[i] += float64(v) * float64(v)
		}
	}
	out := make([]float32, n*n)
	kernel.Product{TransB: true, M: n, N: n, K: d, A: rows, B: rows, C: out}.Compute()
	for i := range n {
		for j := range i {
			both := float32(max(squares[i]+squares[j]-2*float64(out[i*n+j]), 0))
			out[i*n+j], out[j*n+i] = both, both
		}
		out[i*n+i] = 0
	}
	return out
}

// conditional turns the squared distances d of a row into probabilities in proportion to
// exp(−β·d). β is such that their entropy, in nats, is the given one; Newton's method finds
// log β between two bounds. The row's own probability is 0.
func conditional(row []float32, self int, entropy float64) {
	least, mean := math.Inf(1), 0.0
	for j, d := range row {
		if j != self {
			least = min(least, float64(d))
			mean += float64(d)
		}
	}
	mean /= float64(len(row) - 1)
	weights := make([]float64, len(row))
	low, high := math.Inf(-1), math.Inf(1) // of log β
	at := -math.Log(max(mean-least, 1e-30))
	var sum float64
	for range 100 {
		beta := math.Exp(at)
		var first, second float64 // moments of the distance
		sum = 0
		for j, d := range row {
			if j == self {
				weights[j] = 0
				continue
			}
			x := float64(d) - least
			w := math.Exp(-beta * x)
			weights[j] = w
			sum += w
			first += w * x
			second += w * x * x
		}
		first /= sum
		second /= sum
		off := math.Log(sum) + beta*first - entropy
		if math.Abs(off) < entropyTolerance {
			break
		}
		if off > 0 { // too flat: β must grow
			low = at
		} else {
			high = at
		}
		next := at + off/max(beta*beta*(second-first*first), 1e-12)
		if !(next > low && next < high) || math.Abs(next-at) > 5 {
			switch { // bisect, or multiply β by a factor while a bound is missing
			case math.IsInf(high, 0):
				next = at + 2
			case math.IsInf(low, 0):
				next = at - 2
			default:
				next = (low + high) / 2
			}
		}
		if math.Abs(next) > 300 { // no such β: more equal rows than the perplexity
			break
		}
		at = next
	}
	for j, w := range weights {
		row[j] = float32(w / sum)
	}
}
