package kernel

import "math"

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
	// The window of target c is inputs From[c] to To[c] without input First+c, which is
	// the target's own place in the text.
	From, To []int32
	First    int
	Noise    []int32 // [K] rows of output vectors
}

// rows is the number of gradients that e gives: of L inputs, P targets, K noise words.
func (e *Examples) rows() int { return len(e.Inputs) + len(e.Targets) + len(e.Noise) }

// window calls f for each input of target c's window.
func (e *Examples) window(c int, f func(i int)) {
	for i := int(e.From[c]); i < int(e.To[c]); i++ {
		if i != e.First+c {
			f(i)
		}
	}
}

// Sampling is the objective of negative sampling.
type Sampling struct {
	// Negatives is K of the equation: what the noise words of an example weigh together,
	// however many they are.
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
func (e *Examples) width(c int) int {
	n, own := int(e.To[c]-e.From[c]), e.First+c
	if int(e.From[c]) <= own && own < int(e.To[c]) {
		n--
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
	scratch := w.floats((2*L+2*P+K)*s + L*K + P*K + (blocks(P, targetGroup)+1)*L*targetGroup + L + P + max(isa.panelFloats(K, t.table.D), isa.panelFloats(targetGroup, t.table.D), L*targetGroup))
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

// targetGroup is the number of targets whose windows are computed together, as a dense
// product of the words that they span: a vector of the widest instruction set.
const targetGroup = 16

// skipGram predicts each target from each word of its window. All inputs meet all noise
// words in one product, each as often as it is in a window.
func (p *samplingPiece) skipGram(scratch []float32) (loss float64) {
	isa, s, d := p.isa, p.table.Stride, p.table.D
	L, K := len(p.Inputs), len(p.Noise)
	weights, scratch := carve(scratch, L)
	clear(weights)
	for c := range p.Targets {
		p.window(c, func(i int) { weights[i]++ })
	}
	dots, scratch := carve(scratch, L*K)
	columns, _ := isa.columnPanels(scratch, p.noise, s, d, K)
	isa.multiply(L, K, d, p.inputs, s, 1, columns, dots, K, false)
	share := float32(p.Negatives) / float32(K)
	if p.dInputs == nil {
		for i, n := range weights {
			for _, x := range dots[i*K : i*K+K] {
				loss += float64(n*share) * softplus(x)
			}
		}
	} else {
		for i := range weights {
			weights[i] *= -p.rate * share
		}
		isa.sigmoidRows(dots, weights, K)
		rows, _ := isa.rowPanels(nil, p.noise, s, K, s)
		isa.multiply(L, s, K, dots, K, 1, rows, p.dInputs, s, false)
		rows, _ = isa.rowPanels(nil, p.inputs, s, L, s)
		isa.multiply(K, s, L, dots, 1, K, rows, p.dNoise, s, false)
	}
	for i := range weights {
		weights[i] = p.rate
	}
	for c := 0; c < len(p.Targets); c += targetGroup {
		loss += p.group(c, min(c+targetGroup, len(p.Targets)), weights, scratch)
	}
	return loss
}

// group computes the positive examples of targets c0 to c1. rates [L] is the rate, in
// each of its elements.
func (p *samplingPiece) group(c0, c1 int, rates, scratch []float32) (loss float64) {
	isa, s, d := p.isa, p.table.Stride, p.table.D
	n := c1 - c0
	lo, hi := p.span(c0, c1)
	span := hi - lo
	if span == 0 {
		if p.dTargets != nil {
			clear(p.dTargets[c0*s : c1*s])
		}
		return 0
	}
	dots, scratch := carve(scratch, span*targetGroup)
	targets, inputs := p.targets[c0*s:c1*s], p.inputs[lo*s:hi*s]
	columns, _ := isa.columnPanels(scratch, targets, s, d, n)
	isa.multiply(span, n, d, inputs, s, 1, columns, dots, targetGroup, false)
	if p.dTargets == nil {
		for c := c0; c < c1; c++ {
			p.window(c, func(i int) { loss += softplus(-dots[(i-lo)*targetGroup+c-c0]) })
		}
		return loss
	}
	isa.sigmoidRows(dots, rates[:span], targetGroup)
	errors, _ := carve(scratch, span*targetGroup)
	clear(errors)
	for c := c0; c < c1; c++ {
		own := p.First + c - lo
		for i := int(p.From[c]) - lo; i < int(p.To[c])-lo; i++ {
			if i != own {
				at := i*targetGroup + c - c0
				errors[at] = p.rate - dots[at]
			}
		}
	}
	rows, _ := isa.rowPanels(nil, targets, s, n, s)
	isa.multiply(span, s, n, errors, targetGroup, 1, rows, p.dInputs[lo*s:], s, true)
	rows, _ = isa.rowPanels(nil, inputs, s, span, s)
	isa.multiply(n, s, span, errors, 1, targetGroup, rows, p.dTargets[c0*s:], s, false)
	return 0
}

// cbow predicts each target from the mean of its window.
func (p *samplingPiece) cbow(scratch []float32) (loss float64) {
	isa, s, d := p.isa, p.table.Stride, p.table.D
	L, P, K := len(p.Inputs), len(p.Targets), len(p.Noise)
	means, scratch := carve(scratch, P*s)
	dMeans, scratch := carve(scratch, P*s)
	weights, scratch := carve(scratch, P)
	shares, scratch := carve(scratch, blocks(P, targetGroup)*L*targetGroup)
	for c := 0; c < P; c += targetGroup {
		p.means(c, min(c+targetGroup, P), means, weights, shares[c*L:])
	}
	dots, scratch := carve(scratch, P*K)
	columns, _ := isa.columnPanels(scratch, p.noise, s, d, K)
	isa.multiply(P, K, d, means, s, 1, columns, dots, K, false)
	share := float32(p.Negatives) / float32(K)
	if p.dInputs == nil {
		for c, n := range weights {
			if n == 0 {
				continue
			}
			for _, x := range dots[c*K : c*K+K] {
				loss += float64(share) * softplus(x)
			}
			loss += softplus(-isa.dot(means[c*s:c*s+d], p.targets[c*s:]))
		}
		return loss
	}
	for c := range weights {
		weights[c] *= -p.rate * share
	}
	isa.sigmoidRows(dots, weights, K)
	rows, _ := isa.rowPanels(nil, p.noise, s, K, s)
	isa.multiply(P, s, K, dots, K, 1, rows, dMeans, s, false)
	rows, _ = isa.rowPanels(nil, means, s, P, s)
	isa.multiply(K, s, P, dots, 1, K, rows, p.dNoise, s, false)
	clear(p.dInputs)
	for c := range p.Targets {
		dTarget := p.dTargets[c*s : c*s+s]
		clear(dTarget)
		if weights[c] == 0 {
			continue
		}
		mean, target := means[c*s:c*s+s], p.targets[c*s:c*s+s]
		g := [1]float32{p.rate / (1 + exp32(isa.dot(mean[:d], target)))}
		isa.combine(dTarget, g[:], mean, s)
		isa.combine(dMeans[c*s:c*s+s], g[:], target, s)
	}
	for c := 0; c < P; c += targetGroup {
		c1 := min(c+targetGroup, P)
		lo, hi := p.span(c, c1)
		if lo == hi {
			continue
		}
		share := shares[c*L:][:(hi-lo)*targetGroup]
		if p.Classic {
			for i, x := range share {
				if x != 0 {
					share[i] = 1
				}
			}
		}
		rows, _ := isa.rowPanels(nil, dMeans[c*s:], s, c1-c, s)
		isa.multiply(hi-lo, s, c1-c, share, targetGroup, 1, rows, p.dInputs[lo*s:], s, true)
	}
	return 0
}

// means sets rows c0 to c1 of means to those of the targets' windows, weights to 1, or to 0
// where a window is empty, and shares [hi−lo, targetGroup] to what each input of the span is
// of each mean.
func (p *samplingPiece) means(c0, c1 int, means, weights, shares []float32) {
	isa, s := p.isa, p.table.Stride
	lo, hi := p.span(c0, c1)
	shares = shares[:(hi-lo)*targetGroup]
	clear(shares)
	for c := c0; c < c1; c++ {
		n := p.width(c)
		weights[c] = float32(min(n, 1))
		share := 1 / float32(n)
		own := p.First + c
		for i := int(p.From[c]); i < int(p.To[c]); i++ {
			if i != own {
				shares[(i-lo)*targetGroup+c-c0] = share
			}
		}
	}
	if lo == hi {
		clear(means[c0*s : c1*s])
		return
	}
	rows, _ := isa.rowPanels(nil, p.inputs[lo*s:hi*s], s, hi-lo, s)
	isa.multiply(c1-c0, s, hi-lo, shares, 1, targetGroup, rows, means[c0*s:], s, false)
}

// span is the range of inputs that the windows of targets c0 to c1 reach over.
func (p *samplingPiece) span(c0, c1 int) (lo, hi int) {
	lo, hi = int(p.From[c0]), int(p.To[c0])
	for c := c0 + 1; c < c1; c++ {
		lo, hi = min(lo, int(p.From[c])), max(hi, int(p.To[c]))
	}
	return lo, hi
}

// softplus is log(1 + e^x) = −log σ(−x).
func softplus(x float32) float64 {
	return max(float64(x), 0) + math.Log1p(math.Exp(-math.Abs(float64(x))))
}

// gatherRowsGo copies rows of a table.
func gatherRowsGo(to, table []float32, rows []int32, stride int) {
	for i, r := range rows {
		copy(to[i*stride:i*stride+stride], table[int(r)*stride:int(r)*stride+stride])
	}
}

// sigmoidRowsGo takes x, rows of n numbers, to weights[row]·σ(x).
func sigmoidRowsGo(x, weights []float32, n int) {
	for i, w := range weights {
		row := x[i*n : i*n+n]
		for j, v := range row {
			row[j] = w / (1 + exp32(-v))
		}
	}
}
