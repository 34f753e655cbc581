// Package embedding has word vectors: one vector of D numbers for each word of a vocabulary,
// trained so that words of similar contexts get similar vectors. This package holds the
// vectors; the packages in its folder train, store, query and draw them.
package embedding

import (
	"errors"
	"fmt"

	"tinygpt/model/kernel"
)

// Vectors has one vector for each word: row i of Matrix [V, D] is the vector of Words[i].
type Vectors struct {
	// Words are raw bytes, usually UTF-8, without duplicates, most frequent first where
	// counts are known.
	Words []string
	// Counts are the occurrences of the words in the training text; nil if unknown.
	Counts []int64
	// Dim is D, the length of a vector.
	Dim int
	// Matrix is [V, D], row-major, without padding.
	Matrix []float32
}

// Row returns the vector of word i, a part of Matrix.
func (v *Vectors) Row(i int) []float32 { return v.Matrix[i*v.Dim : (i+1)*v.Dim : (i+1)*v.Dim] }

// Index returns the row of each word.
func (v *Vectors) Index() map[string]int {
	index := make(map[string]int, len(v.Words))
	for i, w := range v.Words {
		index[w] = i
	}
	return index
}

// First returns the first n words with their vectors, which share memory with v; all of
// them if there are no more than n.
func (v *Vectors) First(n int) *Vectors {
	if n >= len(v.Words) {
		return v
	}
	first := &Vectors{Words: v.Words[:n], Dim: v.Dim, Matrix: v.Matrix[:n*v.Dim]}
	if v.Counts != nil {
		first.Counts = v.Counts[:n]
	}
	return first
}

// Check returns an error unless the parts have matching lengths, no word occurs twice
// and every number is finite. The error names the first bad word.
func (v *Vectors) Check() error {
	switch {
	case len(v.Words) == 0:
		return errors.New("no words: expected one or more")
	case v.Dim < 1:
		return fmt.Errorf("vectors of %d numbers: expected one or more", v.Dim)
	case len(v.Matrix) != len(v.Words)*v.Dim:
		return fmt.Errorf("a matrix of %d numbers for %d words of %d: expected %d", len(v.Matrix), len(v.Words), v.Dim, len(v.Words)*v.Dim)
	case v.Counts != nil && len(v.Counts) != len(v.Words):
		return fmt.Errorf("%d counts for %d words: expected one for each, or none", len(v.Counts), len(v.Words))
	}
	seen := make(map[string]int, len(v.Words))
	for i, w := range v.Words {
		if first, twice := seen[w]; twice {
			return fmt.Errorf("word %q has two rows, %d and %d: expected one", w, first+1, i+1)
		}
		seen[w] = i
	}
	if i := kernel.FirstNonFinite(v.Matrix); i >= 0 {
		return fmt.Errorf("number %d of row %d, word %q, is %v: expected a finite number", i%v.Dim+1, i/v.Dim+1, v.Words[i/v.Dim], v.Matrix[i])
	}
	return nil
}
