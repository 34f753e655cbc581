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
	index  []int32 // hash table of rows: their number in sums, plus 1
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
	b.sum()
}

// planned is the largest number of numbers that the plan of a block of n targets takes: its
// pieces' lists, and five numbers a step in sum.
func planned(n int, s *sampler) int {
	pieces := (n + s.piece - 1) / s.piece
	return 3*n + pieces*s.shared + 5*(2*n+pieces*(2*s.window+s.shared)) + 1
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

// sum finds which steps belong to the same row, each row's in their order.
func (b *block) sum() {
	size := 64
	for size < 2*b.steps {
		size *= 2
	}
	if len(b.index) < size {
		b.index = make([]int32, size)
	}
	index := b.index[:size]
	clear(index)
	rows, counts := b.cut(b.steps)[:0], b.cut(b.steps)[:0]
	owner := b.cut(b.steps) // of a step, its row's number
	step := 0
	note := func(list []int32) {
		for _, row := range list {
			h := uint32(row) * 2654435769 >> 7 & uint32(size-1)
			for index[h] != 0 && rows[index[h]-1] != row {
				h = (h + 1) & uint32(size-1)
			}
			if index[h] == 0 {
				rows, counts = append(rows, row), append(counts, 0)
				index[h] = int32(len(rows))
			}
			n := index[h] - 1
			counts[n]++
			owner[step] = n
			step++
		}
	}
	for i := range b.pieces {
		p := &b.pieces[i]
		note(p.Inputs)
		note(p.Targets)
		note(p.Noise)
	}
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
