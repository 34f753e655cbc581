package glove

import (
	"math"

	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// Options are what a training depends on, apart from its text.
type Options struct {
	Dim    int
	Window int // the number of words on each side that count
	// XMax and Alpha are the parameters of the weight f(X), see Weight.
	XMax, Alpha  float64
	Epochs       int
	LearningRate float64 // AdaGrad's
	HeldOut      float64 // share of the cells that aren't trained on, for Evaluate
	Memory       int     // bytes that co-occurrences may take before they go to a temporary file
	Seed         uint64
}

// Trainer trains a model, a step for each set of blocks that can be trained at the same
// time. What a step does is a function of its number and of the model.
type Trainer struct {
	// Table is [2V, Dim+2]: the vectors of words, then those of words as contexts, each with
	// two more numbers for the biases.
	Table   kernel.AdaGradTable
	Options Options
	// Step makes the steps of a set of blocks in place of kernel.GloVe, if it isn't nil.
	Step func(t kernel.AdaGradTable, rates []float32, blocks []kernel.Cells) error

	words   int
	rates   []float32 // of each number of a row
	cells   *cells
	buffers [][]kernel.Cell // what is read from the file, for each block of a step
	batch   []kernel.Cells
}

// The places of a training's random streams (see corpus.NewRandom) begin with these numbers.
const (
	initialDraws = iota + 1
	shuffleDraws
	epochDraws
	heldOutDraws
)

// NewTrainer counts the co-occurrences of the tokens (see Count) and returns a trainer of a new
// model, whose numbers are drawn evenly from ±1/(2·Dim). The caller must Close it. An error is
// one of the temporary file.
func NewTrainer(v *corpus.Vocabulary, tokens []int32, o Options) (*Trainer, error) {
	t := &Trainer{Options: o, words: len(v.Words), cells: newCells(len(v.Words), o.Memory)}
	limit := uint64(o.HeldOut * (1 << 32))
	sampled := limit
	if limit == 0 {
		sampled = 1 << 32 / 100
	}
	var err error
	Count(tokens, t.words, o.Window, func(word int, columns []int32, counts []float64) {
		for i, c := range columns {
			// A pair is held out in both orders.
			r := corpus.NewRandom(o.Seed, heldOutDraws, uint64(min(word, int(c))), uint64(max(word, int(c))))
			x := kernel.Cell{F: float32(Weight(counts[i], o.XMax, o.Alpha)), Log: float32(math.Log(counts[i]))}
			place := r.Next() >> 32
			if e := t.cells.add(word, int(c), x, place < limit, place-limit < sampled); e != nil && err == nil {
				err = e
			}
		}
	})
	if err == nil {
		err = t.cells.complete(o.Seed)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	t.initialise()
	t.buffers = make([][]kernel.Cell, t.cells.classes)
	return t, nil
}

// initialise makes the table. A row has Dim numbers, its bias, and a 1 by which the other
// side's bias is multiplied; context rows have the two in the opposite order.
func (t *Trainer) initialise() {
	d, n := t.Options.Dim, t.words
	t.Table = kernel.NewAdaGradTable(2*n, d+2)
	r := corpus.NewRandom(t.Options.Seed, initialDraws)
	for i := range 2 * n {
		row := t.Table.Row(i)
		for j := range d + 1 {
			x := (r.Float() - 0.5) / float32(d)
			if j == d && i >= n {
				j = d + 1
			}
			row[j] = x
		}
		one := d + 1
		if i >= n {
			one = d
		}
		row[one], t.Table.Squares(i)[one] = 1, float32(math.Inf(1))
	}
	t.rates = make([]float32, t.Table.Stride)
	for j := range d {
		t.rates[j] = float32(t.Options.LearningRate)
	}
	t.rates[d], t.rates[d+1] = 1, 1 // biases, as in the authors' program
}

// Close removes the temporary file, if there is one, and gives up the cells that are trained
// on: no more can be trained.
func (t *Trainer) Close() {
	t.cells.close()
	t.cells.blocks, t.buffers, t.batch = nil, nil, nil
}

// Cells returns how many cells of the matrix are trained on, and how many are held out.
func (t *Trainer) Cells() (trained, heldOut int) {
	for b, n := range t.cells.sizes {
		trained += n
		heldOut += len(t.cells.heldOut[b])
	}
	return trained, heldOut
}

// InMemory reports whether all cells are in memory.
func (t *Trainer) InMemory() bool { return t.cells.file == nil }

// Steps returns the number of steps in all epochs.
func (t *Trainer) Steps() int { return t.Options.Epochs * t.cells.classes }

// shift returns how far columns are from rows in the blocks of a step. Each epoch begins with
// a random one, so that the order of the blocks differs.
func (t *Trainer) shift(step int) int {
	p := t.cells.classes
	r := corpus.NewRandom(t.Options.Seed, epochDraws, uint64(step/p))
	return (step + r.Below(p)) % p
}

// Done returns the number of cells in all steps before a step.
func (t *Trainer) Done(step int) int {
	p, n := t.cells.classes, 0
	for _, size := range t.cells.sizes {
		n += size
	}
	n *= step / p
	for s := step / p * p; s < step; s++ {
		for b := range p {
			n += t.cells.sizes[b*p+(b+t.shift(s))%p]
		}
	}
	return n
}

// LearningRate returns AdaGrad's, which is the same in all steps.
func (t *Trainer) LearningRate(int) float64 { return t.Options.LearningRate }

// Train makes step n, from 0. An error is one of the temporary file or of t.Step.
func (t *Trainer) Train(n int) error {
	p, shift := t.cells.classes, t.shift(n)
	t.batch = t.batch[:0]
	for b := range p {
		column := (b + shift) % p
		list, err := t.cells.load(b*p+column, t.buffers[b], t.Options.Seed)
		if err != nil {
			return err
		}
		if !t.InMemory() {
			t.buffers[b] = list
		}
		t.batch = append(t.batch, kernel.Cells{List: list, Row: b, Column: column, Step: p, Words: t.words})
	}
	if t.Step != nil {
		return t.Step(t.Table, t.rates, t.batch)
	}
	kernel.GloVe(t.Table, t.rates, t.batch)
	return nil
}

// Evaluate returns the mean of ½·f(X)·(w·c + b + b' − log X)² over a sample of the cells
// that are trained on, and over those held out; 0 if there are none.
func (t *Trainer) Evaluate() (training, heldOut float64) {
	return t.mean(t.cells.sample), t.mean(t.cells.heldOut)
}

// mean returns the mean cost of the cells of blocks.
func (t *Trainer) mean(blocks [][]kernel.Cell) float64 {
	p, n := t.cells.classes, 0
	var list []kernel.Cells
	for b, cells := range blocks {
		list = append(list, kernel.Cells{List: cells, Row: b / p, Column: b % p, Step: p, Words: t.words})
		n += len(cells)
	}
	if n == 0 {
		return 0
	}
	return kernel.GloVeCost(t.Table, list) / float64(n)
}

// State returns the table of parameters and AdaGrad's sums of squares, [2V, 2, stride], which
// is all that a training needs to go on from a step. It shares memory with the trainer.
func (t *Trainer) State() []safetensors.Tensor {
	return []safetensors.Tensor{{Name: "table", Shape: []int{2 * t.words, 2, t.Table.Stride}, Data: t.Table.Data}}
}

// Vectors returns the sum of each word's two vectors, [V, Dim], as the paper advises in
// section 4.2.
func (t *Trainer) Vectors() []float32 {
	d := t.Options.Dim
	matrix := make([]float32, t.words*d)
	for i := range t.words {
		w, c := t.Table.Row(i), t.Table.Row(t.words+i)
		for j := range d {
			matrix[i*d+j] = w[j] + c[j]
		}
	}
	return matrix
}

// FirstBad returns the first word with a vector that isn't finite, and which of its vectors it
// is; −1 if there is none.
func (t *Trainer) FirstBad() (word int, what string) {
	for i := range 2 * t.words {
		for _, x := range t.Table.Row(i) {
			if x-x == 0 {
				continue
			}
			if i < t.words {
				return i, "word vector"
			}
			return i - t.words, "context vector"
		}
	}
	return -1, ""
}
