package linear

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// loss is what minimise minimises for a C, with its gradient. Rows are computed at the same
// time, and so are features; each is summed in the order of the rows, so the number of threads
// changes no bit.
type loss struct {
	*Problem
	firsts  []int // the rows at which a softmax or a square begins
	columns columns
	errs    []float64 // [rows, Outputs]: the derivative by each score
	costs   []float64 // one for each of firsts
}

func (p *Problem) newLoss(features int) *loss {
	l := &loss{Problem: p, columns: newColumns(p.Rows, features), errs: make([]float64, len(p.Rows)*p.Outputs)}
	for i := 0; i < len(p.Rows); i += max(p.Targets[i].Group, 1) {
		l.firsts = append(l.firsts, i)
	}
	l.costs = make([]float64, len(l.firsts))
	return l
}

// at returns the loss of the weights, and writes its gradient.
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

// row computes the derivatives by the scores of the row i, or of those that one softmax goes
// over from there, and returns the cost.
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

// columns are rows by feature: which rows have it, and how much of it.
type columns struct {
	starts  []int
	entries []columnEntry
}

type columnEntry struct {
	row   int
	value float64
}

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

func (c columns) of(f int) []columnEntry { return c.entries[c.starts[f]:c.starts[f+1]] }

// piece is how many rows or features a thread takes at a time.
const piece = 256

// pieces calls do for 0 to n-1, on all cores if there is enough to do.
func pieces(n int, do func(i int)) {
	var next atomic.Int64
	work := func() {
		for begin := int(next.Add(piece)) - piece; begin < n; begin = int(next.Add(piece)) - piece {
			for i := begin; i < min(begin+piece, n); i++ {
				do(i)
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+piece-1)/piece) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
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
