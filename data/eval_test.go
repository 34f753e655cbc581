package data

import (
	"testing"
)

// Each token but the first must be a target exactly once, with the right input
// before it, and windows must begin where documents do.
func TestEvalBatches(t *testing.T) {
	for _, lengths := range [][]int{{1}, {2}, {9}, {16}, {17}, {3, 1, 1, 5}, {40, 2, 30}, {8, 8, 8}, {1, 1, 1, 1, 1, 1, 1}} {
		for _, shape := range [][2]int{{1, 1}, {1, 8}, {3, 8}, {2, 100}} {
			s := stream(lengths...)
			seen := make([]int, len(s.Tokens))
			for b := range s.EvalBatches(shape[0], shape[1]) {
				counted := 0
				for i, target := range b.Targets {
					if target == Ignore {
						continue
					}
					counted++
					seen[target]++
					if b.Inputs[i] != target-1 {
						t.Fatalf("documents %v, batches %v: input %d for target %d", lengths, shape, b.Inputs[i], target)
					}
					// What the window shows before must reach back to the document's
					// beginning, as far as the context allows.
					first := int(b.Inputs[i/shape[1]*shape[1]])
					start := 0
					for _, at := range s.Starts {
						if at <= int(b.Inputs[i]) {
							start = at
						}
					}
					if first > start && int(target)-start <= shape[1] {
						t.Errorf("documents %v, batches %v: target %d is predicted from %d on, its document begins at %d", lengths, shape, target, first, start)
					}
				}
				if counted != b.Counted {
					t.Errorf("documents %v, batches %v: Counted %d, want %d", lengths, shape, b.Counted, counted)
				}
			}
			for token, n := range seen {
				if want := min(token, 1); n != want {
					t.Errorf("documents %v, batches %v: token %d was a target %d times", lengths, shape, token, n)
				}
			}
		}
	}
}
