package spec

import (
	"errors"
	"math"

	"tinygpt/model/kernel"
)

// Step trains a table of input and output vectors, [2·words, D], on the pieces of a block with
// the gradient of their graph, as kernel.NegativeSampling and kernel.AddRows do; it can be the
// Step of a word2vec.Trainer. It returns how many rows' moves were cut to the length maxMove.
// Classic CBOW is an error.
func Step(t kernel.Table, pieces []kernel.Examples, s kernel.Sampling, rate float32, sums kernel.Sums, maxMove float32) (cut int, err error) {
	if s.Classic {
		return 0, errors.New("the graph has no classic CBOW: that isn't the gradient of its objective")
	}
	words := rows(t) / 2
	b := BatchOf(pieces, words, s)
	grads, err := b.gradients(t, NegativeSampling)
	if err != nil || grads == nil {
		return 0, err
	}
	for i, r := range sums.Rows {
		at := int(r)
		if move(t.Row(at), grads[at/words][at%words*t.D:], rate, kernel.Cuts(int(sums.First[i+1]-sums.First[i])), maxMove) {
			cut++
		}
	}
	return cut, nil
}

// SoftmaxStep is Step for the objective that negative sampling replaces: a block moves the
// output vectors of all words, each by a length of at most maxMove.
func SoftmaxStep(t kernel.Table, pieces []kernel.Examples, s kernel.Sampling, rate float32, sums kernel.Sums, maxMove float32) (cut int, err error) {
	words := rows(t) / 2
	b := BatchOf(pieces, words, s)
	grads, err := b.gradients(t, Softmax)
	if err != nil || grads == nil {
		return 0, err
	}
	for word := range words {
		if move(t.Row(words+word), grads[1][word*t.D:], rate, true, maxMove) {
			cut++
		}
	}
	for i, r := range sums.Rows {
		if word := int(r); word < words && move(t.Row(word), grads[0][word*t.D:], rate, kernel.Cuts(int(sums.First[i+1]-sums.First[i])), maxMove) {
			cut++
		}
	}
	return cut, nil
}

// rows returns the number of rows of a table.
func rows(t kernel.Table) int { return len(t.Data) / t.Stride }

// gradients returns the gradients of the batch's objective with respect to the input vectors
// and the output vectors in t, [Words, D] each; nil if the batch has no examples.
func (b Batch) gradients(t kernel.Table, objective func(Batch, int) (*Graph, error)) ([][]float64, error) {
	if len(b.Groups) == 0 {
		return nil, nil
	}
	g, err := objective(b, t.D)
	if err != nil {
		return nil, err
	}
	var tables [2][]float64
	for i := range rows(t) {
		tables[i/b.Words] = widen(tables[i/b.Words], t.Row(i))
	}
	_, grads, err := g.Run(tables[0], tables[1])
	return grads, err
}

// widen appends x to to.
func widen(to []float64, x []float32) []float64 {
	for _, v := range x {
		to = append(to, float64(v))
	}
	return to
}

// move makes a step of gradient descent. If limited, a step longer than maxMove is cut to that
// length. It reports whether it was cut.
func move(row []float32, gradient []float64, rate float32, limited bool, maxMove float32) (cut bool) {
	gradient = gradient[:len(row)]
	scale, squares := float64(rate), 0.0
	for _, x := range gradient {
		squares += scale * scale * x * x
	}
	if length := math.Sqrt(squares); limited && length > float64(maxMove) {
		scale *= float64(maxMove) / length
		cut = true
	}
	for j, x := range gradient {
		row[j] -= float32(scale * x)
	}
	return cut
}

// GloVeStep makes a step of AdaGrad for each cell with the gradient of its graph, as
// kernel.GloVe does; it can be the Step of a glove.Trainer. The last two numbers of each row of
// t are its bias and the 1 by which the other side's bias is multiplied.
func GloVeStep(t kernel.AdaGradTable, rates []float32, blocks []kernel.Cells) error {
	d := t.D - 2
	for _, b := range blocks {
		for _, c := range b.List {
			// A graph of two words is enough: the cell's row and its column.
			g, err := GloVe(Counts{2, []int{0}, []int{1}, []float64{float64(c.F)}, []float64{float64(c.Log)}}, d)
			if err != nil {
				return err
			}
			row, column := b.Row+b.Step*int(c.I), b.Words+b.Column+b.Step*int(c.J)
			w, x := t.Row(row), t.Row(column)
			tables := [][]float64{make([]float64, 2*d), make([]float64, 2*d), {float64(w[d]), 0}, {0, float64(x[d+1])}}
			copy(tables[0], widen(nil, w[:d]))
			copy(tables[1][d:], widen(nil, x[:d]))
			_, grads, err := g.Run(tables...)
			if err != nil {
				return err
			}
			adagrad := func(at int, gradient []float64, from int) {
				parameters, squares := t.Row(at)[from:], t.Squares(at)[from:]
				for j, v := range gradient {
					step := float64(rates[from+j]) * v
					parameters[j] -= float32(step / math.Sqrt(float64(squares[j])))
					squares[j] += float32(step * step)
				}
			}
			adagrad(row, grads[0][:d], 0)
			adagrad(column, grads[1][d:], 0)
			adagrad(row, grads[2][:1], d)
			adagrad(column, grads[3][1:], d+1)
		}
	}
	return nil
}
