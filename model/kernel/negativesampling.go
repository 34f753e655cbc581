package kernel

import (
	"iter"
	"math"
)

// Table is a matrix of word vectors, D floats a row. Rows are Stride floats apart, a
// multiple of 16; what is between D and Stride is 0 and stays so.
type Table struct {
	Data   []float32 // [rows, Stride]
	D      int
	Stride int
}

// NewTable returns a table of zeros.
func NewTable(rows, d int) Table {
	size("NewTable", "rows", rows)
	size("NewTable", "d", d)
	stride := padded(d, tableAlign)
	return Table{Memory(rows * stride), d, stride}
}

// Row is one of the vectors, D floats.
func (t Table) Row(i int) []float32 { return t.Data[i*t.Stride:][:t.D] }

// tableAlign is what the stride of a table is a multiple of: the widest vector.
const tableAlign = 16

// Examples is a piece of a block of training examples of word2vec (Mikolov et al. 2013,
// "Distributed Representations of Words and Phrases and their Compositionality",
// equation 4): targets that follow each other in a text, each with the window of words
// around it, and noise words that all of them share (Ji et al. 2016, arXiv 1604.04661).
// Words are given as rows of a table.
type Examples struct {
	Inputs  []int32 // [L] the text's words: rows of input vectors
	Targets []int32 // [P] rows of output vectors
	// The window of target c is inputs From[c] to To[c] without input First+c, the target's
	// own place in the text, which is among them.
	From, To []int32
	First    int
	Noise    []int32 // [K] rows of output vectors
}

// rows is the number of gradients that e gives: of L inputs, P targets, K noise words.
func (e *Examples) rows() int { return len(e.Inputs) + len(e.Targets) + len(e.Noise) }

// Sampling is the objective of negative sampling.
type Sampling struct {
	// Negatives is k of equation 4, how many noise words the authors draw for an example: the
	// weight that those of a piece have together, however many they are.
	Negatives int
	// CBOW predicts a target from the mean of its window; else it is skip-gram, which
	// predicts it from each word of its window alone.
	CBOW bool
	// Classic leaves out the mean's 1/C in CBOW's gradient of the window's words, as
	// word2vec.c does (İrsoy et al. 2020, arXiv 2012.15332).
	Classic bool
}

// NegativeSampling computes, for each piece, rate times the descent direction of the loss
//
//	−log σ(x·o) − Negatives/K · Σ_noise log σ(−x·n)
//
// summed over its examples: x is an input (skip-gram) or the mean of a window (CBOW), o
// the target's output vector. steps [Σ(L+P+K), Stride] gets a row for each of a piece's
// inputs, targets and noise words in this order, piece after piece. The table is only
// read; AddRows adds the steps to it.
func NegativeSampling(steps []float32, t Table, pieces []Examples, s Sampling, rate float32) {
	if len(pieces) == 0 {
		return
	}
	rows := 0
	for i := range pieces {
		rows += pieces[i].rows()
	}
	need("NegativeSampling", "steps", len(steps), rows*t.Stride)
	run(&samplingSlot, samplingTask{isa: active, table: t, pieces: pieces, Sampling: s, rate: rate, steps: steps}, len(pieces))
}

// SamplingLoss returns the same loss, summed over the examples of all pieces, and the
// number of examples.
func SamplingLoss(t Table, pieces []Examples, s Sampling) (loss float64, examples int) {
	loss = runSum(&samplingSlot, samplingTask{isa: active, table: t, pieces: pieces, Sampling: s}, len(pieces))
	for i := range pieces {
		for c := range pieces[i].Targets {
			n := pieces[i].width(c)
			if s.CBOW {
				n = min(n, 1)
			}
			examples += n
		}
	}
	return loss, examples
}

// width is the number of words in the window of target c.
func (e *Examples) width(c int) int { return int(e.To[c]-e.From[c]) - 1 }

// pairs is the number of words in all windows.
func (e *Examples) pairs() (n int) {
	for c := range e.From {
		n += e.width(c)
	}
	return n
}

type samplingTask struct {
	Sampling
	isa    *instructionSet
	table  Table
	pieces []Examples
	rate   float32
	steps  []float32 // nil: the loss is wanted
}

var samplingSlot samplingTask

func (t *samplingTask) piece(w *worker, i int) {
	e := &t.pieces[i]
	L, P, K, s := len(e.Inputs), len(e.Targets), len(e.Noise), t.table.Stride
	p := samplingPiece{samplingTask: t, Examples: e}
	isa := t.isa
	scratch := w.floats((2*L+2*P+K)*s + L*K + P*K + L + 1 + 2*P + e.pairs() + isa.panelFloats(K, t.table.D))
	p.inputs, scratch = carve(scratch, L*s)
	p.targets, scratch = carve(scratch, P*s)
	p.noise, scratch = carve(scratch, K*s)
	isa.gatherRows(p.noise, t.table.Data, e.Noise, s)
	isa.gatherRows(p.targets, t.table.Data, e.Targets, s)
	isa.gatherRows(p.inputs, t.table.Data, e.Inputs, s)
	if t.steps != nil {
		first := 0
		for j := range i {
			first += t.pieces[j].rows()
		}
		p.dInputs, p.dTargets = carve(t.steps[first*s:], L*s)
		p.dTargets, p.dNoise = carve(p.dTargets, P*s)
		p.dNoise = p.dNoise[:K*s]
	}
	loss := 0.0
	if t.CBOW {
		loss = p.cbow(scratch)
	} else {
		loss = p.skipGram(scratch)
	}
	if t.steps == nil {
		workers.partial[i] = loss
	}
}

// samplingPiece is a piece with its rows in one place, and where their steps go.
type samplingPiece struct {
	*samplingTask
	*Examples
	inputs, targets, noise    []float32 // [L,S] [P,S] [K,S]
	dInputs, dTargets, dNoise []float32 // nil: the loss is wanted
}

// skipGram predicts each target from each word of its window. One product has the
// scores of all inputs with all noise words; each input counts as often as it is in a
// window.
func (p *samplingPiece) skipGram(scratch []float32) (loss float64) {
	isa, s, d := p.isa, p.table.Stride, p.table.D
	L, K := len(p.Inputs), len(p.Noise)
	weights, scratch := carve(scratch, L+1)
	p.occurrences(weights)
	weights = weights[:L]
	scores, scratch := carve(scratch, p.pairs())
	clear(scores)
	isa.dotWindows(p.targets, p.inputs, p.From, p.To, p.First, scores, s)
	dots, scratch := carve(scratch, L*K)
	columns := isa.columnPanels(scratch, p.noise, s, d, K)
	isa.multiply(L, K, d, p.inputs, s, 1, columns, dots, K, false)
	share := float32(p.Negatives) / float32(K)
	if p.dInputs == nil {
		for i, n := range weights {
			loss += float64(n*share) * softplus(dots[i*K:i*K+K], 1)
		}
		return loss + softplus(scores, -1)
	}
	for i := range weights {
		weights[i] *= -p.rate * share
	}
	isa.sigmoidRows(dots, weights, K)
	rows, _ := isa.rowPanels(nil, p.noise, s, K, s)
	isa.multiply(L, s, K, dots, K, 1, rows, p.dInputs, s, false)
	rows, _ = isa.rowPanels(nil, p.inputs, s, L, s)
	isa.multiply(K, s, L, dots, 1, K, rows, p.dNoise, s, false)
	weight := [1]float32{p.rate}
	isa.sigmoidRows(scores, weight[:], len(scores))
	for i, x := range scores {
		scores[i] = p.rate - x
	}
	isa.mixWindows(p.dTargets, p.inputs, p.From, p.To, p.First, scores, s)
	isa.stepWindows(p.targets, p.dInputs, p.From, p.To, p.First, scores, s)
	return 0
}

// occurrences counts in how many windows each input is. counts has an element more than
// there are inputs, which is left with nothing.
func (e *Examples) occurrences(counts []float32) {
	clear(counts)
	for c, from := range e.From {
		counts[from]++
		counts[e.First+c]--
		counts[e.First+c+1]++
		counts[e.To[c]]--
	}
	sum := float32(0)
	for i := range counts {
		sum += counts[i]
		counts[i] = sum
	}
}

// cbow predicts each target from the mean of its window.
func (p *samplingPiece) cbow(scratch []float32) (loss float64) {
	isa, s, d := p.isa, p.table.Stride, p.table.D
	P, K := len(p.Targets), len(p.Noise)
	means, scratch := carve(scratch, P*s)
	dMeans, scratch := carve(scratch, P*s)
	shares, scratch := carve(scratch, P)
	scores, scratch := carve(scratch, P)
	for c := range shares {
		shares[c] = 1 / float32(max(p.width(c), 1))
	}
	isa.sumWindows(means, p.inputs, p.From, p.To, p.First, shares, s)
	isa.dotPairs(scores, means, p.targets, s)
	dots, scratch := carve(scratch, P*K)
	columns := isa.columnPanels(scratch, p.noise, s, d, K)
	isa.multiply(P, K, d, means, s, 1, columns, dots, K, false)
	share := float32(p.Negatives) / float32(K)
	if p.dInputs == nil {
		for c := range scores {
			if p.width(c) == 0 {
				continue
			}
			loss += float64(share)*softplus(dots[c*K:c*K+K], 1) + softplus(scores[c:c+1], -1)
		}
		return loss
	}
	weight := [1]float32{-p.rate * share}
	isa.sigmoidRows(dots, weight[:], P*K)
	rows, _ := isa.rowPanels(nil, p.noise, s, K, s)
	isa.multiply(P, s, K, dots, K, 1, rows, dMeans, s, false)
	rows, _ = isa.rowPanels(nil, means, s, P, s)
	isa.multiply(K, s, P, dots, 1, K, rows, p.dNoise, s, false)
	weight[0] = p.rate
	isa.sigmoidRows(scores, weight[:], P)
	for c, x := range scores {
		scores[c] = p.rate - x
	}
	isa.stepPairs(dMeans, p.dTargets, means, p.targets, scores, s)
	if p.Classic {
		for c := range shares {
			shares[c] = 1
		}
	}
	clear(p.dInputs)
	isa.addWindows(dMeans, p.dInputs, p.From, p.To, p.First, shares, s)
	return 0
}

// softplus is the sum of log(1 + e^x) = −log σ(−x) over sign times each number: the
// logarithm of a product, as far as float64 reaches.
func softplus(xs []float32, sign float64) (sum float64) {
	product := 1.0
	for _, v := range xs {
		x := sign * float64(v)
		sum += max(x, 0)
		if product *= 1 + math.Exp(-math.Abs(x)); product > 1e300 {
			sum += math.Log(product)
			product = 1
		}
	}
	return sum + math.Log(product)
}

// inWindows yields each target c with each row i of its window: rows from[c] to to[c] without
// row first+c.
func inWindows(from, to []int32, first int) iter.Seq2[int, int] {
	return func(yield func(c, i int) bool) {
		for c := range from {
			for i := int(from[c]); i < int(to[c]); i++ {
				if i != first+c && !yield(c, i) {
					return
				}
			}
		}
	}
}

// sumWindowsGo sets row c of sums to shares[c] times the sum of the rows of its window.
func sumWindowsGo(sums, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	clear(sums[:len(from)*stride])
	for c, i := range inWindows(from, to, first) {
		sum := sums[c*stride:][:stride]
		addGo(sum, sum, rows[i*stride:])
	}
	for c := range from {
		scaleGo(sums[c*stride:][:stride], shares[c])
	}
}

// addWindowsGo adds shares[c] times row c of x to each of the rows of its window.
func addWindowsGo(x, rows []float32, from, to []int32, first int, shares []float32, stride int) {
	for c, i := range inWindows(from, to, first) {
		combineGo(rows[i*stride:][:stride], shares[c:c+1], x[c*stride:], stride)
	}
}

// dotWindowsGo adds to the dots, one for each row of each window, the product of row c of x
// with it.
func dotWindowsGo(x, rows []float32, from, to []int32, first int, dots []float32, stride int) {
	for c, i := range inWindows(from, to, first) {
		dots[0] += dotGo(x[c*stride:][:stride], rows[i*stride:])
		dots = dots[1:]
	}
}

// mixWindowsGo sets row c of sums to the sum of the rows of its window, each times the next
// of the weights.
func mixWindowsGo(sums, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	clear(sums[:len(from)*stride])
	for c, i := range inWindows(from, to, first) {
		combineGo(sums[c*stride:][:stride], weights[:1], rows[i*stride:], stride)
		weights = weights[1:]
	}
}

// stepWindowsGo adds row c of x to each of the rows of its window, times the next of the
// weights.
func stepWindowsGo(x, rows []float32, from, to []int32, first int, weights []float32, stride int) {
	for c, i := range inWindows(from, to, first) {
		combineGo(rows[i*stride:][:stride], weights[:1], x[c*stride:], stride)
		weights = weights[1:]
	}
}

// dotPairsGo computes the product of each row of x with that of y.
func dotPairsGo(dots, x, y []float32, stride int) {
	for r := range dots {
		dots[r] = dotGo(x[r*stride:r*stride+stride], y[r*stride:])
	}
}

// stepPairsGo adds g[r]·y to dx and sets dy to g[r]·x, for the rows r of each.
func stepPairsGo(dx, dy, x, y, g []float32, stride int) {
	for r, g := range g {
		at := r * stride
		for j := at; j < at+stride; j++ {
			dx[j] += g * y[j]
			dy[j] = g * x[j]
		}
	}
}

// gatherRowsGo copies rows of a table.
func gatherRowsGo(to, table []float32, rows []int32, stride int) {
	for i, r := range rows {
		copy(to[i*stride:i*stride+stride], table[int(r)*stride:int(r)*stride+stride])
	}
}

// sigmoidRowsGo replaces x, rows of n numbers, by weights[row]·σ(x).
func sigmoidRowsGo(x, weights []float32, n int) {
	for i, w := range weights {
		row := x[i*n : i*n+n]
		for j, v := range row {
			row[j] = w / (1 + exp32(-v))
		}
	}
}
