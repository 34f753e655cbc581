// Package query answers questions with word vectors: which words are near a word, which word
// is to c as b is to a, and how well vectors answer files of such questions.
//
// All vectors are divided by their lengths first, so that a dot product is a cosine.
package query

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tinygpt/embedding"
	"tinygpt/model/kernel"
)

// Space is words with their unit vectors. Its methods may not be called concurrently.
type Space struct {
	Words []string
	Dim   int // D

	index map[string]int
	unit  []float32 // [V, D]
	// scores is a buffer for the products of three vectors with all words, [3, V].
	scores []float32
}

// New returns the space of v's words. It copies the vectors. A vector of length 0 stays 0: its
// cosine with all others is 0.
func New(v *embedding.Vectors) *Space {
	s := &Space{Words: v.Words, Dim: v.Dim, index: v.Index(), unit: slices.Clone(v.Matrix), scores: make([]float32, 3*len(v.Words))}
	for i := range v.Words {
		normalize(s.Unit(i))
	}
	return s
}

// Unit returns the unit vector of word i, [D], which shares memory with the space.
func (s *Space) Unit(i int) []float32 { return s.unit[i*s.Dim : (i+1)*s.Dim : (i+1)*s.Dim] }

// normalize divides x by its length, summed in float64.
func normalize(x []float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return
	}
	length := math.Sqrt(sum)
	for i, v := range x {
		x[i] = float32(float64(v) / length)
	}
}

// Find returns the row of a word. An unknown word is an error, which suggests the same word in
// lower or upper case if there is one.
func (s *Space) Find(word string) (int, error) {
	if i, ok := s.index[word]; ok {
		return i, nil
	}
	for _, other := range []string{strings.ToLower(word), strings.ToUpper(word)} {
		if _, ok := s.index[other]; ok {
			return 0, fmt.Errorf("no word %q among the %d: did you mean %q?", word, len(s.Words), other)
		}
	}
	return 0, fmt.Errorf("no word %q among the %d: it wasn't in the training text, or fell below --min-count", word, len(s.Words))
}

// Answer is a word and how well it fits; the larger the score, the better.
type Answer struct {
	Word  string  `json:"word"`
	Score float64 `json:"score"`
}

// Neighbours returns the n other words whose vectors have the largest cosine with the word's,
// the largest first. An unknown word is an error.
func (s *Space) Neighbours(word string, n int) ([]Answer, error) {
	i, err := s.Find(word)
	if err != nil {
		return nil, err
	}
	return s.best(s.products(s.Unit(i)), n, i), nil
}

// products returns the dot products of one to three vectors with all words, [n, V], valid until
// the next call. targets is [n, D].
func (s *Space) products(targets []float32) []float32 {
	m := len(targets) / s.Dim
	scores := s.scores[:m*len(s.Words)]
	kernel.Product{TransB: true, M: m, N: len(s.Words), K: s.Dim, A: targets, B: s.unit, C: scores}.Compute()
	return scores
}

// best returns the n words with the largest scores, without the rows excluded; of words with
// equal scores, the first in the vocabulary.
func (s *Space) best(scores []float32, n int, excluded ...int) []Answer {
	type scored struct {
		row   int
		score float32
	}
	// A short list in order, worst last: most words don't get in.
	var list []scored
	n = min(n, len(s.Words))
	for i, x := range scores {
		if n <= 0 || len(list) == n && x <= list[n-1].score || slices.Contains(excluded, i) {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, x, func(e scored, x float32) int {
			if e.score >= x {
				return -1
			}
			return 1
		})
		if len(list) == n {
			list = list[:n-1]
		}
		list = slices.Insert(list, at, scored{i, x})
	}
	out := make([]Answer, len(list))
	for i, e := range list {
		out[i] = Answer{s.Words[e.row], float64(e.score)}
	}
	return out
}

// cosine returns the cosine of two rows, summed in float64.
func (s *Space) cosine(i, j int) float64 {
	var sum float64
	y := s.Unit(j)
	for k, x := range s.Unit(i) {
		sum += float64(x) * float64(y[k])
	}
	return sum
}
