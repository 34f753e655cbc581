package query

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"tinygpt/embedding"
)

// random are n words with vectors of d numbers, normally distributed.
func random(n, d int) *embedding.Vectors {
	r := rand.New(rand.NewPCG(1, 2))
	v := &embedding.Vectors{Dim: d, Matrix: make([]float32, n*d)}
	for i := range n {
		v.Words = append(v.Words, fmt.Sprint("w", i))
	}
	for i := range v.Matrix {
		v.Matrix[i] = float32(r.NormFloat64())
	}
	return v
}

// Questions to as many vectors as text of 40 million words gives.
func BenchmarkNeighbours(b *testing.B) {
	s := New(random(112_000, 100))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Neighbours("w77", 10); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnalogy(b *testing.B) {
	s := New(random(112_000, 100))
	for _, m := range Methods {
		b.Run(string(m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Analogy(m, "w7", "w77", "w777", 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
