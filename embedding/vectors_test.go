package embedding

import (
	"math"
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

func TestVectors(t *testing.T) {
	v := &Vectors{Words: []string{"the", "king", "queen"}, Counts: []int64{9, 3, 2}, Dim: 2, Matrix: []float32{1, 2, 3, 4, 5, 6}}
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	if row := v.Row(v.Index()["king"]); !slices.Equal(row, []float32{3, 4}) {
		t.Errorf("king is %v", row)
	}
	first := v.First(2)
	if err := first.Check(); err != nil || len(first.Words) != 2 || len(first.Counts) != 2 || v.First(3) != v {
		t.Errorf("the first two words are %v: %v", first, err)
	}
}

func TestCheck(t *testing.T) {
	nan := float32(math.NaN())
	for want, v := range map[string]*Vectors{
		"no words":                            {Dim: 2},
		"vectors of 0 numbers":                {Words: []string{"a"}},
		"expected 4":                          {Words: []string{"a", "b"}, Dim: 2, Matrix: make([]float32, 3)},
		"1 counts for 2 words":                {Words: []string{"a", "b"}, Dim: 1, Matrix: make([]float32, 2), Counts: []int64{1}},
		`word "a" has two rows, 1 and 3`:      {Words: []string{"a", "b", "a"}, Dim: 1, Matrix: make([]float32, 3)},
		`number 2 of row 2, word "b", is NaN`: {Words: []string{"a", "b"}, Dim: 2, Matrix: []float32{1, 2, 3, nan}},
		"is +Inf: expected a finite number":   {Words: []string{"a"}, Dim: 1, Matrix: []float32{float32(math.Inf(1))}},
	} {
		expect.Error(t, v.Check(), want)
	}
}
