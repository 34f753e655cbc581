package data

import (
	"slices"
	"testing"
)

// Each token but the first must be predicted exactly once, and windows must begin
// where documents do.
func TestDocumentWindows(t *testing.T) {
	for _, lengths := range [][]int{{1}, {2}, {9}, {16}, {17}, {3, 1, 1, 5}, {40, 2, 30}, {8, 8, 8}, {1, 1, 1, 1, 1, 1, 1}} {
		for _, context := range []int{1, 3, 8, 100} {
			s := stream(lengths...)
			next := 1
			for w := range s.DocumentWindows(context) {
				if w.From != next || w.Begin >= w.From || w.From >= w.End || w.End-1-w.Begin > context {
					t.Fatalf("documents %v, context %d: window %+v, the next token to predict is %d", lengths, context, w, next)
				}
				for token := w.From; token < w.End; token++ {
					// What the window shows before must reach back to the document's
					// beginning, as far as the context allows.
					start := 0
					for _, at := range s.Starts {
						if at < token {
							start = at
						}
					}
					if w.Begin > start && token-start <= context {
						t.Errorf("documents %v, context %d: token %d is predicted from %d on, its document begins at %d", lengths, context, token, w.Begin, start)
					}
				}
				next = w.End
			}
			if next != len(s.Tokens) {
				t.Errorf("documents %v, context %d: %d of %d tokens are predicted", lengths, context, next, len(s.Tokens))
			}
		}
	}
}

// The windows of the loop in Hugging Face's guide, worked out by hand.
func TestSlidingWindows(t *testing.T) {
	for _, k := range []struct {
		tokens, context, stride int
		want                    []Window
	}{
		{10, 4, 2, []Window{{0, 1, 4}, {2, 4, 6}, {4, 6, 8}, {6, 8, 10}}},
		{10, 4, 3, []Window{{0, 1, 4}, {3, 4, 7}, {6, 7, 10}}},
		{10, 4, 4, []Window{{0, 1, 4}, {4, 5, 8}, {8, 9, 10}}},
		{9, 4, 4, []Window{{0, 1, 4}, {4, 5, 8}, {8, 9, 9}}},
		{11, 4, 3, []Window{{0, 1, 4}, {3, 4, 7}, {6, 7, 10}, {9, 10, 11}}},
		{4, 4, 1, []Window{{0, 1, 4}}},
		{6, 4, 1, []Window{{0, 1, 4}, {1, 4, 5}, {2, 5, 6}}},
		{3, 100, 50, []Window{{0, 1, 3}}},
	} {
		s := &Stream{Tokens: make([]int32, k.tokens)}
		if got := slices.Collect(s.SlidingWindows(k.context, k.stride)); !slices.Equal(got, k.want) {
			t.Errorf("%d tokens, context %d, stride %d: %v, want %v", k.tokens, k.context, k.stride, got, k.want)
		}
	}
}
