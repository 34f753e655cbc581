package ablation

import (
	"bytes"
	"strings"
	"testing"

	"tinygpt/internal/atomicfile"
)

// FuzzPoints: the results of an ablation are read, or refused in one line.
func FuzzPoints(f *testing.F) {
	f.Add([]byte(`{"arm":"n-grams","examples":20,"seed":1,"score":0.5}` + "\n"))
	f.Add([]byte("null\n{}\n[]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := atomicfile.ParseLines[Point](bytes.NewReader(text), pointsFile); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	})
}
