//go:build linux

package reliability

import (
	"slices"
	"strings"
	"testing"
)

// TestCuts: every length of a small file; of a large one the ends of its fields, and as many
// besides as asked for.
func TestCuts(t *testing.T) {
	if got := cuts("a.json", []byte(`{"a":1}`), 3); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("a small file is cut off at %v", got)
	}
	line := `{"a":1,"b":2}` + "\n"
	large := []byte(strings.Repeat(line, smallFile/len(line)+1))
	got := cuts("a.jsonl", large, 5)
	for _, n := range []int{0, 6, 7, 8, 13, 14, 15, len(large) / 5, len(large) - 1} {
		if !slices.Contains(got, n) {
			t.Errorf("a large file isn't cut off at %d: %v", n, got[:20])
		}
	}
	if slices.Contains(got, 3) || slices.Contains(got, len(large)) {
		t.Errorf("%v", got)
	}
	if got := cuts("run/a.json", []byte(`{"a":1}`), 2); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("a file of a run in the run is cut off at %v", got)
	}
}

// TestMutants: each value of each line that has a new key is replaced.
func TestMutants(t *testing.T) {
	got := mutantsOf("a.jsonl", []byte(`{"a":1}`+"\n"+`{"a":2}`+"\n"+`{"a":3,"b":4}`+"\n"))
	if len(got) != (2+3)*len(replacements) {
		t.Fatalf("%d mutants: %q", len(got), got)
	}
	if last := string(got[len(got)-1]); last != `{"a":1}`+"\n"+`{"a":2}`+"\n"+`{"a":3,"b":{}}`+"\n" {
		t.Errorf("the last one is %q", last)
	}
}
