// Package linear has linear models over sparse features: logistic regression for classes,
// for the words of a sentence and for choices, ridge regression for grades. They are fitted
// with L-BFGS.
package linear

import "tinygpt/data/labelled"

// Entry is a feature of a row that isn't 0.
type Entry struct {
	Feature int // its number, from 0
	Value   float64
}

// Row has the features of an example, a choice, or a word, each at most once.
type Row []Entry

// Features turns examples into rows.
type Features interface {
	// Size returns the number of features.
	Size() int
	// Rows returns the rows of an example: one, or one for each choice or word.
	Rows(e labelled.Example) []Row
}

// Model is a linear map from features to scores.
type Model struct {
	Features Features
	// Outputs is the number of scores of a row.
	Outputs int
	// Weights is [F+1, Outputs], F being the number of features; the last row is the bias.
	Weights []float32
	// C is the inverse strength of the regularisation that it was fitted with.
	C float64
}

// Scores returns the scores of each of the example's rows, [rows, Outputs]. The score of a
// class, a tag or a choice is the logarithm of its probability, up to a constant; that of a
// grade is the standardised grade.
func (m *Model) Scores(e labelled.Example) [][]float64 {
	var out [][]float64
	for _, r := range m.Features.Rows(e) {
		scores := make([]float64, m.Outputs)
		apply(scores, r, m.Weights)
		out = append(out, scores)
	}
	return out
}

// apply sets scores to weightsᵀ·row + bias.
func apply[F float32 | float64](scores []float64, r Row, weights []F) {
	k := len(scores)
	for j, w := range weights[len(weights)-k:] {
		scores[j] = float64(w)
	}
	for _, x := range r {
		for j, w := range weights[x.Feature*k : x.Feature*k+k] {
			scores[j] += x.Value * float64(w)
		}
	}
}
