package word2vec

import (
	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

const (
	chunkTokens  = 16 << 10 // tokens of the text that are sampled together
	pieceTargets = 32       // targets that share noise words, at most
	pieceMeans   = 64       // the same for CBOW, whose targets are an example each, not one for each word of the window
	maxPieces    = 8        // of a block, at most
	softmaxBlock = 32       // of the full softmax, where every target moves every vector
	wave         = 16       // blocks that are planned together
	// A block lets the most frequent word's vector miss about this number of steps on average.
	// 24 did no harm on 4 million words of Wikipedia, 90 cost a point of analogies, 180
	// made the vectors diverge.
	staleSteps = 24
	// Noise words of a piece for each negative that an example is to have. 24 in place of 16
	// cost CBOW a fifth more time and gave it half a point of analogies.
	noisePerNegative = 24.0 / 5
	noisePerMean     = 16.0 / 5 // CBOW's
)

// blockSize is the number of targets of a block, and of a piece of it at most, from the
// share of the most frequent word. A word's vector moves by a step for each word of each
// window that it is in, and by no more than one for a window's mean.
func blockSize(largest float64, o Options) (block, piece int) {
	piece = pieceTargets
	if o.CBOW {
		piece = pieceMeans
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

// noiseWords is the number of noise words that a piece shares.
func noiseWords(o Options) int {
	per := noisePerNegative
	if o.CBOW {
		per = noisePerMean
	}
	return (int(per*float64(o.Negatives)) + 7) / 8 * 8
}

// block is some targets that follow each other in a chunk, ready to be trained.
type block struct {
	pieces []kernel.Examples
	sums   kernel.Sums
	steps  int // rows of steps

	memory []int32 // what pieces and sums are cut from
	used   int
	index  []int32 // hash table of words: their number in a block, plus 1
}

// cut returns n numbers of the block's memory.
func (b *block) cut(n int) []int32 {
	b.used += n
	return b.memory[b.used-n : b.used : b.used]
}

// chunk is the words of a chunk that subsampling has kept, with the number of each
// one's line.
type chunk struct{ ids, lines []int32 }

// plan draws windows and noise words of targets from to to of a chunk. place is what the
// draws depend on, besides the seed and the number of the piece.
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

// planned is the largest number of numbers that the plan of a block of n targets takes: its
// pieces' lists, and in sum five numbers a step and two or three a place.
func planned(n int, s *sampler) int {
	pieces := (n + s.piece - 1) / s.piece
	places := n + 2*s.window
	return 3*n + pieces*s.shared + 5*(2*n+pieces*(2*s.window+s.shared)) + 1 + 3*places + 2*pieces*s.shared
}

// add adds the piece of targets from to to.
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

// sum finds which steps belong to the same row, each row's in their order. Every place of
// the text is looked up once, though it is an input of one or two pieces and a target.
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
	at := b.cut(len(places)) // of a place, its word's number
	for i, word := range places {
		at[i] = number(word)
	}
	// The words of places have their input vectors' rows first. outputs has the number of a
	// word's output vector's row, or 0 if it has none so far.
	rows, counts := append(b.cut(b.steps)[:0], known...), b.cut(b.steps)
	clear(counts)
	outputs := b.cut(words)
	clear(outputs)
	owner := b.cut(b.steps) // of a step, its row's number
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

// sampler is what the draws of a training have in common.
type sampler struct {
	seed   uint64
	window int
	words  int // of the vocabulary: where output vectors begin
	piece  int // targets of a piece, at most
	shared int // noise words of a piece
	noise  *corpus.Noise
}
