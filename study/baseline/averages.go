package baseline

import (
	"math"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/embedding"
)

// averages are the means of word vectors.
type averages struct {
	index map[string]int
	dim   int
	unit  []float64 // [V, D], times √D: numbers of about 1, as weights are held small
}

func newAverages(v *embedding.Vectors) *averages {
	a := &averages{index: v.Index(), dim: v.Dim, unit: make([]float64, len(v.Matrix))}
	for i := range v.Words {
		var square float64
		for _, x := range v.Row(i) {
			square += float64(x) * float64(x)
		}
		for j, x := range v.Row(i) {
			if square > 0 {
				a.unit[i*v.Dim+j] = float64(x) * math.Sqrt(float64(v.Dim)/square)
			}
		}
	}
	return a
}

// size is D for a text, twice as much for two, and three times for a word with its
// neighbours.
func (a *averages) size(kind labelled.Kind) int {
	switch kind {
	case labelled.Pair:
		return 2 * a.dim
	case labelled.Tagged:
		return 3 * a.dim
	}
	return a.dim
}

func (a *averages) rows(kind labelled.Kind, e labelled.Example) (out []row) {
	switch kind {
	case labelled.Tagged:
		for i := range e.Tokens {
			var r row
			for place, j := range []int{i, i - 1, i + 1} {
				if j >= 0 && j < len(e.Tokens) {
					r = a.mean(r, place, []string{e.Tokens[j]})
				}
			}
			out = append(out, r)
		}
	case labelled.Choice:
		for _, c := range e.Choices {
			out = append(out, a.mean(nil, 0, split(c)))
		}
	case labelled.Pair:
		out = []row{a.mean(a.mean(nil, 0, split(e.Texts[0])), 1, split(e.Texts[1]))}
	default:
		out = []row{a.mean(nil, 0, split(e.Texts[0]))}
	}
	return out
}

// mean appends the mean of the words' vectors to a row, as the features of a place. Words
// without a vector are left out.
func (a *averages) mean(r row, place int, words []string) row {
	sum, n := make([]float64, a.dim), 0
	for _, w := range words {
		i, ok := a.index[w]
		if !ok {
			i, ok = a.index[strings.ToLower(w)]
		}
		if !ok {
			continue
		}
		n++
		for j, x := range a.unit[i*a.dim : (i+1)*a.dim] {
			sum[j] += x
		}
	}
	for j, x := range sum {
		if n > 0 {
			r = append(r, entry{place*a.dim + j, x / float64(n)})
		}
	}
	return r
}
