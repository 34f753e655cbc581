package data

import (
	"iter"
	"sort"
)

// Window is a stretch of a stream's tokens [Begin, End) of which an evaluation
// predicts [From, End), each from all tokens of the window before it.
type Window struct{ Begin, From, End int }

// DocumentWindows goes through the whole stream; every token but the very first, an
// end of text, is predicted exactly once, from context tokens at most. A window in
// which a document begins ends there, and the next one starts with that document:
// whatever fits into the context is predicted from its document's beginning.
// Otherwise windows follow one another.
func (s *Stream) DocumentWindows(context int) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for at := 0; at+1 < len(s.Tokens); {
			last := s.windowEnd(at, context)
			if !yield(Window{at, at + 1, last + 1}) {
				return
			}
			at = last
		}
	}
}

// windowEnd is the last token of the window that begins at position at.
func (s *Stream) windowEnd(at, context int) int {
	end := min(at+context, len(s.Tokens)-1)
	// The last document that begins in (at, end].
	if i := sort.SearchInts(s.Starts, end+1) - 1; i >= 0 && s.Starts[i] > at {
		return s.Starts[i]
	}
	return end
}

// SlidingWindows goes through the whole stream in windows of context tokens that
// begin stride tokens apart, 1 ≤ stride ≤ context, documents or not; what the window
// before has predicted is only read. This is the strided sliding window of Hugging
// Face's "Perplexity of fixed-length models". With the stride at the context there
// is no overlap, and the first token of each window isn't predicted at all.
func (s *Stream) SlidingWindows(context, stride int) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		predicted := 0 // tokens before have been, but for the first of a window
		for begin := 0; predicted < len(s.Tokens); begin += stride {
			end := min(begin+context, len(s.Tokens))
			if !yield(Window{begin, max(predicted, begin+1), end}) {
				return
			}
			predicted = end
		}
	}
}
