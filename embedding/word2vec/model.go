package word2vec

import (
	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

// Options are what a training depends on, apart from its text.
type Options struct {
	Dim     int
	Window  int // the maximum number of words on each side; drawn anew from 1 to Window for each target
	CBOW    bool
	Classic bool // CBOW's gradient as in word2vec.c, see kernel.Sampling
	// Softmax trains with the full softmax in place of negative sampling.
	Softmax   bool
	Negatives int
	// NoisePower is the exponent of word frequencies that noise words are drawn with.
	NoisePower float64
	Sample     float64 // threshold of subsampling, 0: none
	Epochs     int
	// LearningRate falls linearly over all epochs to MinLearningRate.
	LearningRate, MinLearningRate float64
	Seed                          uint64
}

// Model is the two vectors of each word, as input and as output.
type Model struct {
	// Table has the input vectors in its first half and the output vectors in the second.
	Table kernel.Table
	V     int
}

// NewModel returns input vectors drawn evenly from ±1/(2·dim), and output vectors of 0, as
// word2vec.c does.
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

// Input is the vector of word i as a word of a window: what is called its word vector.
func (m *Model) Input(i int) []float32 { return m.Table.Row(i) }

// Output is the vector of word i as a target.
func (m *Model) Output(i int) []float32 { return m.Table.Row(m.V + i) }
