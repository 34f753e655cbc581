package word2vec

import (
	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

// Options are what a training depends on, apart from its text.
type Options struct {
	Dim     int
	Window  int  // the maximum number of words on each side; drawn anew from 1 to Window for each target
	CBOW    bool // CBOW in place of skip-gram
	Classic bool // CBOW's gradient as in word2vec.c, see kernel.Sampling
	// Softmax trains with the full softmax in place of negative sampling.
	Softmax   bool
	Negatives int // the weight k of the noise words of an example: the objective's number of them
	// NoisePower is the exponent of word frequencies that noise words are drawn with.
	NoisePower float64
	Sample     float64 // threshold of subsampling, see corpus.NewSubsampling; 0: none
	Epochs     int
	// LearningRate falls linearly over all epochs to MinLearningRate.
	LearningRate, MinLearningRate float64
	Seed                          uint64
}

// Model has two vectors for each word: one as an input word and one as an output word.
type Model struct {
	// Table is [2V, D]: the input vectors, then the output vectors.
	Table kernel.Table
	V     int // words in the vocabulary
}

// NewModel returns a model of v words with vectors of dim numbers: input vectors drawn evenly
// from ±1/(2·dim), output vectors of 0, as in word2vec.c.
func NewModel(v, dim int, seed uint64) *Model {
	m := &Model{kernel.NewTable(2*v, dim), v}
	r := corpus.NewRandom(seed, 1)
	for i := range v {
		row := m.Input(i)
		for j := range row {
			row[j] = (r.Float() - 0.5) / float32(dim)
		}
	}
	return m
}

// Input returns the vector of word i as a word of a window, which is commonly called its word
// vector.
func (m *Model) Input(i int) []float32 { return m.Table.Row(i) }

// Output returns the vector of word i as a target or a noise word.
func (m *Model) Output(i int) []float32 { return m.Table.Row(m.V + i) }
