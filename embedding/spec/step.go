package spec

import (
	"errors"
	"math"

	"tinygpt/model/kernel"
)

// Step trains a table of input and output vectors on pieces of a block by the gradient of
// their graph, as kernel.NegativeSampling and kernel.AddRows do: word2vec.Trainer takes it
// for its Step.
func Step(t kernel.Table, pieces []kernel.Examples, s kernel.Sampling, rate float32, sums kernel.Sums, most float32) (cut int, err error) {
	if s.Classic {
		return 0, errors.New("the graph has no classic CBOW: that isn't the gradient of its objective")
	}
	words := len(t.Data) / t.Stride / 2
	b := BatchOf(pieces, words, s)
	if len(b.Groups) == 0 {
		return 0, nil
	}
	g, err := NegativeSampling(b, t.D)
	if err != nil {
		return 0, err
	}
	var tables [2][]float64
	for i := range 2 * words {
		for _, x := range t.Row(i) {
			tables[i/words] = append(tables[i/words], float64(x))
		}
	}
	_, grads, err := g.Run(tables[0], tables[1])
	if err != nil {
		return 0, err
	}
	for i, r := range sums.Rows {
		gradient := grads[int(r)/words][int(r)%words*t.D:][:t.D]
		scale, squares := float64(rate), 0.0
		for _, x := range gradient {
			squares += scale * scale * x * x
		}
		if length := math.Sqrt(squares); kernel.Cuts(int(sums.First[i+1]-sums.First[i])) && length > float64(most) {
			scale *= float64(most) / length
			cut++
		}
		for j, x := range gradient {
			t.Row(int(r))[j] -= float32(scale * x)
		}
	}
	return cut, nil
}
