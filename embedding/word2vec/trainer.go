package word2vec

import (
	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// Trainer trains a model chunk by chunk. What a chunk does is a function of its number and
// of the model, so a training can stop after any chunk and go on elsewhere.
type Trainer struct {
	Model   *Model
	Options Options
	// Cut is how many times the move of a row in a block was shortened so far, see
	// kernel.AddRows. Nothing reads it but those who look for mistakes: if it is large, blocks
	// are too long for the text.
	Cut int
	// Step trains on the pieces of a block in place of the kernels, if it isn't nil: sums says
	// which steps belong to a row, maxMove how far a row may move (see kernel.AddRows). It
	// returns how many rows' moves were shortened.
	Step func(t kernel.Table, pieces []kernel.Examples, s kernel.Sampling, rate float32, sums kernel.Sums, maxMove float32) (cut int, err error)

	sampler     sampler
	subsampling *corpus.Subsampling
	block       int // targets of a block
	tokens      corpus.Sequence
	heldOut     corpus.Sequence
	before      []int   // [chunks+1]: words of the text before each chunk; the last: all
	list        []int32 // tokens of a chunk
	chunk       chunk
	blocks      [plannedBlocks]block
	softmax     softmax
	steps       []float32 // [steps of a block, Stride]
}

// maxStep is how far a row may move in a block, if many targets move it.
const maxStep = 1

// NewTrainer returns a trainer of a new model on tokens, which are numbers of v's words or
// corpus.LineEnd. heldOut is for Evaluate alone; it may be empty.
func NewTrainer(v *corpus.Vocabulary, tokens, heldOut corpus.Sequence, o Options) *Trainer {
	_, largest := v.ExpectedKept(o.Sample)
	shared := noiseWords(o)
	block, piece := blockSize(largest, o)
	if o.Softmax {
		shared, block = 0, min(block, maxSoftmaxBlock)
	}
	t := &Trainer{
		Model: NewModel(len(v.Words), o.Dim, o.Seed), Options: o, tokens: tokens, heldOut: heldOut,
		subsampling: corpus.NewSubsampling(v, o.Sample),
		block:       block,
		sampler: sampler{seed: o.Seed, window: o.Window, words: len(v.Words),
			piece: piece, shared: shared, noise: corpus.NewNoise(v.Counts, o.NoisePower)},
	}
	words := 0
	t.before = []int{0}
	for from := 0; from < tokens.Len(); from += chunkTokens {
		for _, id := range t.chunkAt(tokens, from) {
			if id >= 0 {
				words++
			}
		}
		t.before = append(t.before, words)
	}
	return t
}

// Words returns the number of words of the training text, before subsampling.
func (t *Trainer) Words() int { return t.before[len(t.before)-1] }

// BlockSize returns the number of targets whose steps are computed from the same vectors.
func (t *Trainer) BlockSize() int { return t.block }

// Steps returns the number of chunks in all epochs: a step is the training on a chunk.
func (t *Trainer) Steps() int { return t.Options.Epochs * (len(t.before) - 1) }

// Done returns the number of words in all chunks before this one, over all epochs.
func (t *Trainer) Done(chunk int) int {
	n := len(t.before) - 1
	return chunk/n*t.Words() + t.before[chunk%n]
}

// LearningRate returns the rate of a chunk.
func (t *Trainer) LearningRate(chunk int) float64 {
	o := t.Options
	left := 1 - float64(t.Done(chunk))/float64(o.Epochs*t.Words())
	return o.MinLearningRate + (o.LearningRate-o.MinLearningRate)*left
}

// Train trains on chunk n of all epochs, from 0. An error is one of t.Step.
func (t *Trainer) Train(n int) error {
	i := n % (len(t.before) - 1)
	rate := float32(t.LearningRate(n))
	objective := t.objective()
	return t.read(t.chunkAt(t.tokens, i*chunkTokens), t.sampler.seed, uint64(n), func(b *block) error {
		switch {
		case t.Step != nil:
			cut, err := t.Step(t.Model.Table, b.pieces, objective, rate, b.sums, maxStep)
			if err != nil {
				return err
			}
			t.Cut += cut
		case t.Options.Softmax:
			t.softmax.train(t, b, rate)
		default:
			kernel.NegativeSampling(t.steps, t.Model.Table, b.pieces, objective, rate)
			t.Cut += kernel.AddRows(t.Model.Table, t.steps, b.sums, maxStep)
		}
		return nil
	})
}

// Close frees all but the model. Train and Evaluate can't be called any more.
func (t *Trainer) Close() {
	t.tokens, t.heldOut, t.list, t.chunk, t.blocks, t.steps, t.softmax = corpus.Sequence{}, corpus.Sequence{}, nil, chunk{}, [plannedBlocks]block{}, nil, softmax{}
}

// chunkAt returns the tokens of the chunk that begins at from, valid until the next call.
func (t *Trainer) chunkAt(tokens corpus.Sequence, from int) []int32 {
	t.list = tokens.AppendTo(t.list[:0], from, min(from+chunkTokens, tokens.Len()))
	return t.list
}

func (t *Trainer) objective() kernel.Sampling {
	return kernel.Sampling{Negatives: t.Options.Negatives, CBOW: t.Options.CBOW, Classic: t.Options.Classic}
}

// read samples the tokens of a chunk, plans its blocks, and calls f for each in turn, up to the
// first error, which it returns. A block is valid until f returns. The draws depend on seed and
// place.
func (t *Trainer) read(tokens []int32, seed, place uint64, f func(b *block) error) error {
	c := &t.chunk
	r := corpus.NewRandom(seed, place)
	c.ids, c.lines = t.subsampling.Sample(c.ids[:0], c.lines[:0], tokens, &r)
	s := t.sampler
	s.seed = seed
	for from := 0; from < len(c.ids); from += plannedBlocks * t.block {
		blocks := t.blocks[:min(plannedBlocks, (len(c.ids)-from+t.block-1)/t.block)]
		kernel.Each(len(blocks), func(i int) {
			first := from + i*t.block
			blocks[i].plan(c, first, min(first+t.block, len(c.ids)), &s, place)
		})
		for i := range blocks {
			b := &blocks[i]
			if need := b.steps * t.Model.Table.Stride; len(t.steps) < need {
				t.steps = make([]float32, need)
			}
			if err := f(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// evaluationSeed draws the same windows and noise words in every evaluation.
const evaluationSeed = 0x6576616c75617465

// sampleTokens is the maximum number of tokens of each of an evaluation's two texts.
const sampleTokens = 200_000

// Evaluate returns the objective on the beginning of the training text and of the held-out
// text, see Loss; 0 for a text that is empty.
func (t *Trainer) Evaluate() (training, heldOut float64) {
	n := min(t.heldOut.Len(), sampleTokens)
	if n > 0 {
		heldOut = t.Loss(t.heldOut.Part(0, n))
	} else {
		n = sampleTokens
	}
	return t.Loss(t.tokens.Part(0, min(n, t.tokens.Len()))), heldOut
}

// State returns the table of vectors, [2V, stride], which is all that a training needs to go on
// from a chunk. It shares memory with the trainer.
func (t *Trainer) State() []safetensors.Tensor {
	table := t.Model.Table
	return []safetensors.Tensor{{Name: "table", Shape: []int{2 * t.Model.V, table.Stride}, Data: table.Data}}
}

// Vectors returns a copy of the input vectors, [V, Dim].
func (t *Trainer) Vectors() []float32 {
	d := t.Options.Dim
	matrix := make([]float32, t.Model.V*d)
	for i := range t.Model.V {
		copy(matrix[i*d:], t.Model.Input(i))
	}
	return matrix
}

// FirstBad returns the first word with a vector that isn't finite, and which of its vectors it
// is; −1 if there is none.
func (t *Trainer) FirstBad() (word int, what string) {
	i := kernel.FirstNonFinite(t.Model.Table.Data)
	if i < 0 {
		return -1, ""
	}
	if i /= t.Model.Table.Stride; i < t.Model.V {
		return i, "input vector"
	}
	return i - t.Model.V, "output vector"
}

// Loss returns the objective on tokens, in nats per example: for skip-gram a pair of a word and
// one of its window, for CBOW a word. Windows and noise words are drawn the same way every
// time. A model whose output vectors are 0 has (1+Negatives)·ln 2 with negative sampling, ln V
// with the full softmax.
func (t *Trainer) Loss(tokens corpus.Sequence) float64 {
	sum, examples := 0.0, 0
	objective := t.objective()
	for from := 0; from < tokens.Len(); from += chunkTokens {
		_ = t.read(t.chunkAt(tokens, from), evaluationSeed, uint64(from), func(b *block) error {
			var loss float64
			var n int
			if t.Options.Softmax {
				loss, n = t.softmax.loss(t, b)
			} else {
				loss, n = kernel.SamplingLoss(t.Model.Table, b.pieces, objective)
			}
			sum, examples = sum+loss, examples+n
			return nil
		})
	}
	return sum / float64(max(examples, 1))
}
