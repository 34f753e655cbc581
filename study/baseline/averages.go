package baseline

import (
	"context"
	"math"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/embedding"
	"tinygpt/finetune"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
)

// TrainAverages fits a linear model over averaged word vectors: a text is the mean of the unit
// vectors of its words. What n-grams have to learn about each word, vectors know already from
// the text that they were trained on.
func TrainAverages(ctx context.Context, s *finetune.Setup, v *embedding.Vectors, train, dev []labelled.Example) (*linear.Model, error) {
	return s.FitLinear(ctx, newAverages(s.Kind(), v), train, dev, nil)
}

// averages are the means of word vectors, as linear.Features.
type averages struct {
	kind  labelled.Kind
	index map[string]int
	dim   int
	unit  []float64 // [V, D]: unit vectors times √D, so that numbers are about 1 and weights can be small
}

// newAverages returns the features of examples of a kind.
func newAverages(kind labelled.Kind, v *embedding.Vectors) *averages {
	a := &averages{kind: kind, index: v.Index(), dim: v.Dim, unit: make([]float64, len(v.Matrix))}
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

// Size returns the number of features: D for a text, 2·D for a pair of texts, 3·D for a word with
// its neighbours.
func (a *averages) Size() int {
	switch a.kind {
	case labelled.Pair:
		return 2 * a.dim
	case labelled.Tagged:
		return 3 * a.dim
	}
	return a.dim
}

// Rows returns the rows of an example; see linear.Features.
func (a *averages) Rows(e labelled.Example) (out []linear.Row) {
	switch a.kind {
	case labelled.Tagged:
		for i := range e.Tokens {
			var r linear.Row
			for place, j := range []int{i, i - 1, i + 1} {
				if j >= 0 && j < len(e.Tokens) {
					r = a.mean(r, place, []string{e.Tokens[j]})
				}
			}
			out = append(out, r)
		}
	case labelled.Choice:
		for _, c := range e.Choices {
			out = append(out, a.mean(nil, 0, ngram.Split(c)))
		}
	case labelled.Pair:
		out = []linear.Row{a.mean(a.mean(nil, 0, ngram.Split(e.Texts[0])), 1, ngram.Split(e.Texts[1]))}
	default:
		out = []linear.Row{a.mean(nil, 0, ngram.Split(e.Texts[0]))}
	}
	return out
}

// mean appends the mean of the words' vectors to a row, as features place·D and following. Words
// without a vector don't count.
func (a *averages) mean(r linear.Row, place int, words []string) linear.Row {
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
			r = append(r, linear.Entry{Feature: place*a.dim + j, Value: x / float64(n)})
		}
	}
	return r
}
