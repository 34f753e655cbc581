package tokenizer

import "slices"

// mergeLong appends the ids of a piece of any length: the same merges in the
// same order as tiktoken-go's, lowest rank first and leftmost among equals, with
// a heap of candidates in place of a scan per merge. n log n instead of n²
// matters for text without spaces: a megabyte of DNA or base64 is one piece.
func (t *bpe) mergeLong(ids []int32, piece string) []int32 {
	n := len(piece)
	// The parts are a linked list over the bytes: part i is piece[i:next[i]],
	// prev[i] is the part before it. A part that was merged away has next 0.
	next := make([]int32, n)
	prev := make([]int32, n)
	for i := range next {
		next[i], prev[i] = int32(i)+1, int32(i)-1
	}
	// A candidate is the rank of two joined parts, and where the first starts.
	// The rank tells the joined length, so a stale candidate shows itself.
	var h heap[mergeable]
	h.before = func(a, b mergeable) bool {
		return a.rank < b.rank || a.rank == b.rank && a.at < b.at
	}
	offer := func(i int32) {
		if i < 0 || int(next[i]) == n {
			return
		}
		if r, ok := t.rank[piece[i:next[next[i]]]]; ok {
			h.push(mergeable{r, i})
		}
	}
	for i := range int32(n) {
		offer(i)
	}
	for len(h.items) > 0 {
		m := h.pop()
		i := m.at
		j := next[i]
		if j == 0 || int(j) == n || int(next[j]-i) != len(t.tokens[m.rank]) {
			continue
		}
		next[i], next[j] = next[j], 0
		if int(next[i]) < n {
			prev[next[i]] = i
		}
		offer(i)
		offer(prev[i])
	}
	ids = slices.Grow(ids, n/4)
	for i := int32(0); int(i) < n; i = next[i] {
		ids = append(ids, t.rank[piece[i:next[i]]])
	}
	return ids
}

// mergeable is a candidate of mergeLong.
type mergeable struct {
	rank int32
	at   int32
}
