package tokentable

import (
	"math"
	"testing"

	"tinygpt/embedding"
	"tinygpt/internal/expect"
	"tinygpt/tokenizer"
)

func TestFill(t *testing.T) {
	tok := tokenizer.NewByte()
	v := &embedding.Vectors{Words: []string{"a", "b", "other"}, Dim: 2, Matrix: []float32{3, 4, 0, 5, 9, 9}}
	table := make([]float32, 2*tok.VocabSize())
	for i := range table {
		table[i] = 0.5 * float32(1-2*(i%2))
	}
	filled, err := Fill(table, tok, v)
	if err != nil || filled != 2 {
		t.Fatalf("%d rows, %v; want 2", filled, err)
	}
	ids, err := tok.Encode("abc")
	if err != nil {
		t.Fatal(err)
	}
	row := func(i int) []float32 { return table[2*ids[i]:][:2] }
	// The four numbers' mean square is 12.5, the table's 0.25.
	s := float32(math.Sqrt(0.25 / 12.5))
	for i, want := range [][2]float32{{3 * s, 4 * s}, {0, 5 * s}, {0.5, -0.5}} {
		for j, x := range want {
			if d := row(i)[j] - x; d > 1e-6 || d < -1e-6 {
				t.Errorf("row of %q: %v, want %v", "abc"[i], row(i), want)
			}
		}
	}
	if _, err := Fill(table[1:], tok, v); err == nil {
		t.Error("a table of another size: no error")
	}
	v.Words = []string{"one", "two", "three"}
	_, err = Fill(table, tok, v)
	expect.Error(t, err, "--tokenizer")
}
