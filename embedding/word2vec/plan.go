package word2vec

import (
	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

const (
	chunkTokens     = 16 << 10 // tokens of the text that are sampled together
	maxTargets      = 32       // targets of a piece, which share noise words, with skip-gram
	maxCBOWTargets  = 64       // the same with CBOW, where a target is one example, not one for each word of its window
	maxPieces       = 8        // pieces of a block
	maxSoftmaxBlock = 32       // targets of a block with the full softmax, where every target moves every vector
	plannedBlocks   = 16       // blocks that are planned together
	// staleSteps is about how many steps the vector of the most frequent word is out of date on
	// average, since all pieces of a block read the same vectors. 24 did no harm on 4 million
	// words of Wikipedia, 90 cost a point of analogies, 180 made the vectors diverge.
	staleSteps = 24
	// noisePerNegative is the number of a piece's noise words for each of Options.Negatives.
	// 24/5 in place of 16/5 cost CBOW a fifth more time and gave it half a point of analogies.
	noisePerNegative     = 24.0 / 5
	cbowNoisePerNegative = 16.0 / 5
)

// blockSize returns the maximum numbers of targets of a block and of a piece. largest is the
// share of the most frequent word among the words that subsampling keeps. With skip-gram and
// classic CBOW a vector moves by a step for each word of each window that it is in; with CBOW by
// about one for each window.
func blockSize(largest float64, o Options) (block, piece int) {
	piece = maxTargets
	if o.CBOW {
		piece = maxCBOWTargets
	}
	steps := 2 * largest
	if !o.CBOW || o.Classic {
		steps *= float64(o.Window)
	}
	b := staleSteps / steps
	if b >= float64(maxPieces*piece) {
		return maxPieces * piece, piece
	}
	return max(8, int(b)/8*8), piece
}

// noiseWords returns the number of noise words that a piece shares, a multiple of 8.
func noiseWords(o Options) int {
	per := noisePerNegative
	if o.CBOW {
		per = cbowNoisePerNegative
	}
	return (int(per*float64(o.Negatives)) + 7) / 8 * 8
}

// block is a run of targets in a chunk, with their windows and noise words drawn.
type block struct {
	pieces []kernel.Examples
	sums   kernel.Sums
	steps  int // rows of the steps that kernel.NegativeSampling computes for the pieces

	memory []int32 // the slices in pieces and sums are parts of it
	used   int     // numbers of memory that are taken
	index  []int32 // hash table of words: their number in the block, plus 1
}

// cut takes the next n numbers of the block's memory.
func (b *block) cut(n int) []int32 {
	b.used += n
	return b.memory[b.used-n : b.used : b.used]
}

// chunk has the words of a chunk that subsampling kept, and the number of the line of each.
type chunk struct{ ids, lines []int32 }

// plan draws the windows and noise words of targets from to to−1 of a chunk. The draws depend
// on the seed, on place and on the first target of the piece.
func (b *block) plan(c *chunk, from, to int, s *sampler, place uint64) {
	b.used, b.steps = 0, 0
	b.pieces = b.pieces[:0]
	if need := planned(to-from, s); len(b.memory) < need {
		b.memory = make([]int32, need)
	}
	for p := from; p < to; p += s.piece {
		b.add(c, p, min(p+s.piece, to), s, place)
	}
	b.sum(c, from, to, s)
}

// planned returns the maximum length of a block's memory for n targets: the lists of the
// pieces, and in sum five numbers for each step and two or three for each place.
func planned(n int, s *sampler) int {
	pieces := (n + s.piece - 1) / s.piece
	places := n + 2*s.window
	return 3*n + pieces*s.shared + 5*(2*n+pieces*(2*s.window+s.shared)) + 1 + 3*places + 2*pieces*s.shared
}

// add plans the piece of targets from to to−1.
func (b *block) add(c *chunk, from, to int, s *sampler, place uint64) {
	r := corpus.NewRandom(s.seed, place, uint64(from))
	first, end := max(from-s.window, 0), min(to+s.window, len(c.ids))
	e := kernel.Examples{Inputs: c.ids[first:end], First: from - first}
	n := to - from
	e.Targets, e.From, e.To, e.Noise = b.cut(n), b.cut(n), b.cut(n), b.cut(s.shared)
	for i := range n {
		at := from + i
		e.Targets[i] = int32(s.words) + c.ids[at]
		w := 1 + r.Below(s.window)
		lo, hi := max(at-w, 0), min(at+w+1, len(c.ids))
		for c.lines[lo] != c.lines[at] {
			lo++
		}
		for c.lines[hi-1] != c.lines[at] {
			hi--
		}
		e.From[i], e.To[i] = int32(lo-first), int32(hi-first)
	}
	for i := range e.Noise {
		e.Noise[i] = int32(s.words) + s.noise.Draw(r.Next())
	}
	b.pieces = append(b.pieces, e)
	b.steps += len(e.Inputs) + n + s.shared
}

// sum lists for each row the steps that are added to it, in the order of the text, in b.sums.
// Every place of the text is looked up once, though it is an input of one or two pieces and a
// target.
func (b *block) sum(c *chunk, from, to int, s *sampler) {
	low := max(from-s.window, 0)
	places := c.ids[low:min(to+s.window, len(c.ids))]
	words := len(places) + len(b.pieces)*s.shared
	size := 64
	for size < 2*words {
		size *= 2
	}
	if len(b.index) < size {
		b.index = make([]int32, size)
	}
	index := b.index[:size]
	clear(index)
	known := b.cut(words)[:0]
	number := func(word int32) int32 {
		h := uint32(word) * 2654435769 >> 7 & uint32(size-1)
		for index[h] != 0 {
			if n := index[h] - 1; known[n] == word {
				return n
			}
			h = (h + 1) & uint32(size-1)
		}
		known = append(known, word)
		index[h] = int32(len(known))
		return int32(len(known) - 1)
	}
	at := b.cut(len(places)) // for each place, its word's number
	for i, word := range places {
		at[i] = number(word)
	}
	// The first rows are the input vectors of the words of places. outputs has for each word
	// the index in rows of its output vector, 0 while it isn't there.
	rows, counts := append(b.cut(b.steps)[:0], known...), b.cut(b.steps)
	clear(counts)
	outputs := b.cut(words)
	clear(outputs)
	owner := b.cut(b.steps) // for each step, the index of its row in rows
	step := 0
	note := func(row int32) {
		counts[row]++
		owner[step] = row
		step++
	}
	output := func(n int32) int32 {
		if outputs[n] == 0 {
			outputs[n] = int32(len(rows))
			rows = append(rows, int32(s.words)+known[n])
		}
		return outputs[n]
	}
	for i := range b.pieces {
		p := &b.pieces[i]
		target := from + i*s.piece - low
		for _, n := range at[target-p.First:][:len(p.Inputs)] {
			note(n)
		}
		for _, n := range at[target:][:len(p.Targets)] {
			note(output(n))
		}
		for _, row := range p.Noise {
			note(output(number(row - int32(s.words))))
		}
	}
	counts = counts[:len(rows)]
	first, steps := b.cut(len(rows)+1), b.cut(b.steps)
	first[0] = 0
	for i, n := range counts {
		first[i+1] = first[i] + n
	}
	for i := range counts {
		counts[i] = first[i] // from here on: where the row's next step goes
	}
	for i, n := range owner[:step] {
		steps[counts[n]] = int32(i)
		counts[n]++
	}
	b.sums = kernel.Sums{Rows: rows, First: first, Steps: steps}
}

// sampler has what all draws of a training depend on.
type sampler struct {
	seed   uint64
	window int
	words  int // of the vocabulary, which is the row of the first output vector
	piece  int // maximum number of targets of a piece
	shared int // noise words of a piece
	noise  *corpus.Noise
}
