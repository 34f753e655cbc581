package ablation

import (
	"os"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// FuzzPoints: the results of an ablation are read, or refused in one line.
func FuzzPoints(f *testing.F) {
	f.Add([]byte(`{"arm":"n-grams","examples":20,"seed":1,"score":0.5}` + "\n"))
	f.Add([]byte("null\n{}\n[]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := fixture.NewPath(t, pointsFile)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readPoints(path); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	})
}
