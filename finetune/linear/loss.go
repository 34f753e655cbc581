package linear

import (
	"math"
	"slices"

	"tinygpt/model/kernel"
)

// loss computes the regularised loss of a problem, and its gradient. Rows are computed in
// parallel, and so are features; each sum is in the order of the rows, so the result has the
// same bits for any number of threads.
type loss struct {
	*Problem
	firsts  []int // for each example, its first row
	columns columns
	errs    []float64 // [rows, Outputs]: the derivative with respect to each score
	costs   []float64 // of each example
}

// newLoss returns the loss of a problem with this number of features.
func (p *Problem) newLoss(features int) *loss {
	l := &loss{Problem: p, columns: newColumns(p.Rows, features), errs: make([]float64, len(p.Rows)*p.Outputs)}
	for i := 0; i < len(p.Rows); i += max(p.Targets[i].Group, 1) {
		l.firsts = append(l.firsts, i)
	}
	l.costs = make([]float64, len(l.firsts))
	return l
}

// at returns the loss of the weights [features+1, Outputs] for a C, and writes its gradient.
func (l *loss) at(weights, gradient []float64, c float64) float64 {
	pieces(len(l.firsts), func(which int) { l.costs[which] = l.row(l.firsts[which], weights) })
	k, n := l.Outputs, float64(len(l.firsts))
	strength := 1 / (c * n)
	pieces(len(l.columns.starts)-1, func(f int) {
		g := gradient[f*k : f*k+k]
		for j := range g {
			g[j] = 0
		}
		for _, x := range l.columns.of(f) {
			for j, e := range l.errs[x.row*k : x.row*k+k] {
				g[j] += x.value * e
			}
		}
		for j := range g {
			g[j] = g[j]/n + strength*weights[f*k+j]
		}
	})
	bias := gradient[len(gradient)-k:]
	clear(bias)
	for i, e := range l.errs {
		bias[i%k] += e / n
	}
	var sum, square float64
	for _, cost := range l.costs {
		sum += cost
	}
	for _, w := range weights[:len(weights)-k] {
		square += w * w
	}
	return sum/n + strength*square/2
}

// row computes errs of the example whose first row is i, and returns its cost.
func (l *loss) row(i int, weights []float64) float64 {
	t, k := l.Targets[i], l.Outputs
	errs := l.errs[i*k : (i+max(t.Group, 1))*k]
	for j := range max(t.Group, 1) {
		apply(errs[j*k:j*k+k], l.Rows[i+j], weights)
	}
	if l.Grades {
		errs[0] -= t.Grade
		return errs[0] * errs[0] / 2
	}
	Softmax(errs) // over the choices, which have one score each, or over the classes
	cost := -math.Log(max(errs[t.Class], math.SmallestNonzeroFloat64))
	errs[t.Class]--
	return cost
}

// columns is the transpose of rows: for each feature the rows that have it, and its value in
// each.
type columns struct {
	starts  []int // [features+1]: where a feature's entries begin
	entries []columnEntry
}

type columnEntry struct {
	row   int
	value float64
}

// newColumns transposes rows.
func newColumns(rows []Row, features int) columns {
	c := columns{starts: make([]int, features+1)}
	for _, r := range rows {
		for _, x := range r {
			c.starts[x.Feature+1]++
		}
	}
	for f := range features {
		c.starts[f+1] += c.starts[f]
	}
	c.entries = make([]columnEntry, c.starts[features])
	next := slices.Clone(c.starts)
	for i, r := range rows {
		for _, x := range r {
			c.entries[next[x.Feature]] = columnEntry{i, x.Value}
			next[x.Feature]++
		}
	}
	return c
}

// of returns the entries of a feature, in the order of the rows.
func (c columns) of(f int) []columnEntry { return c.entries[c.starts[f]:c.starts[f+1]] }

// pieces calls do for 0 to n−1, on all cores if there is enough to do.
func pieces(n int, do func(i int)) {
	const piece = 256 // rows or features that a thread takes at a time
	kernel.Each((n+piece-1)/piece, func(p int) {
		for i := p * piece; i < min((p+1)*piece, n); i++ {
			do(i)
		}
	})
}

// Softmax turns scores into probabilities, in place.
func Softmax(x []float64) {
	shift, sum := math.Inf(-1), 0.0
	for _, v := range x {
		shift = max(shift, v)
	}
	for i, v := range x {
		x[i] = math.Exp(v - shift)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
