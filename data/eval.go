package data

import (
	"iter"
	"sort"
)

// Ignore is the target of a position that isn't predicted.
const Ignore = -100

// EvalBatch is a batch of evaluation windows. Its slices are the iterator's:
// they change with the next batch.
type EvalBatch struct {
	Inputs, Targets []int32 // [B·T]
	Counted         int     // targets that aren't Ignore
}

// EvalBatches goes through the whole stream in windows of context tokens, batch
// of them at a time; every token but the very first, an end of text, is a target
// exactly once. A window in which a document begins counts only up to there, and
// the next one starts with that document: whatever fits into the context is
// predicted from its document's beginning. Otherwise windows follow one another.
// What is left of the last batch is padded with Ignore.
func (s *Stream) EvalBatches(batch, context int) iter.Seq[EvalBatch] {
	return func(yield func(EvalBatch) bool) {
		b := EvalBatch{Inputs: make([]int32, batch*context), Targets: make([]int32, batch*context)}
		row := 0
		clearFrom := func(i int) {
			clear(b.Inputs[i:])
			for j := i; j < len(b.Targets); j++ {
				b.Targets[j] = Ignore
			}
		}
		clearFrom(0)
		for at := 0; at+1 < len(s.Tokens); {
			end := s.windowEnd(at, context)
			copy(b.Inputs[row*context:], s.Tokens[at:end])
			copy(b.Targets[row*context:], s.Tokens[at+1:end+1])
			b.Counted += end - at
			at = end
			if row++; row == batch {
				if !yield(b) {
					return
				}
				row, b.Counted = 0, 0
				clearFrom(0)
			}
		}
		if row > 0 {
			yield(b)
		}
	}
}

// windowEnd is where the window that begins at position at ends: its inputs are
// [at, end), its targets one further.
func (s *Stream) windowEnd(at, context int) int {
	end := min(at+context, len(s.Tokens)-1)
	// The last document that begins in (at, end].
	if i := sort.SearchInts(s.Starts, end+1) - 1; i >= 0 && s.Starts[i] > at {
		return s.Starts[i]
	}
	return end
}
