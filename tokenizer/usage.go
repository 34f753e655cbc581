package tokenizer

import (
	"cmp"
	"slices"
)

// Usage says how a text's tokens spread over the vocabulary.
type Usage struct {
	Count     []int // of each id
	Tokens    int   // all of the text's, without special ones
	Bytes     int   // of text that the tokens are
	Used      int   // ordinary tokens of the vocabulary that occur
	Available int   // ordinary tokens of the vocabulary
	t         Tokenizer
}

// NewUsage counts ids of t.
func NewUsage(t Tokenizer, ids []int32) *Usage {
	u := &Usage{Count: make([]int, t.VocabSize()), t: t, Available: t.VocabSize() - len(t.SpecialTokens())}
	for _, id := range ids {
		u.Count[id]++
	}
	for id, n := range u.Count {
		if text := t.Bytes(int32(id)); text != nil && n > 0 {
			u.Tokens += n
			u.Bytes += n * len(text)
			u.Used++
		}
	}
	return u
}

// Frequent returns the n most frequent ordinary tokens, the most frequent first and
// the lower id first among equals. Tokens that don't occur are left out.
func (u *Usage) Frequent(n int) []int32 {
	var ids []int32
	for id, count := range u.Count {
		if count > 0 && u.t.Bytes(int32(id)) != nil {
			ids = append(ids, int32(id))
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int { return u.Count[b] - u.Count[a] })
	return ids[:min(n, len(ids))]
}

// MergeCount is how often encoding merged a pair of tokens.
type MergeCount struct {
	Left, Right string // as TokenName has them
	ID          int32  // of the token that it makes
	Count       int
}

// Merges returns the n merges that were most often made in encoding the text, those
// on the way to a longer token included; none for a kind without merges.
func (u *Usage) Merges(n int) ([]MergeCount, error) {
	var m *merger
	first := 0
	switch t := u.t.(type) {
	case *bpe:
		m = t.merger
	case *gpt1:
		m, first = t.merger, t.first
	default:
		return nil, nil
	}
	pairs, err := m.pairs()
	if err != nil {
		return nil, err
	}
	merges, err := mergesOf(u.t)
	if err != nil {
		return nil, err
	}
	// A symbol is made once for each of its tokens in the text, and once for each
	// time that a symbol is made of it.
	made := make([]int, len(m.ranked))
	for r := len(m.ranked) - 1; r >= 256+first; r-- {
		made[r] += u.Count[m.ids[r]]
		for _, part := range pairs[r-256] {
			made[part] += made[r]
		}
	}
	var counts []MergeCount
	for i, merge := range merges {
		if r := 256 + first + i; made[r] > 0 {
			counts = append(counts, MergeCount{merge[0], merge[1], m.ids[r], made[r]})
		}
	}
	slices.SortStableFunc(counts, func(a, b MergeCount) int { return cmp.Compare(b.Count, a.Count) })
	return counts[:min(n, len(counts))], nil
}

// Longest returns the n ordinary tokens of t with the most bytes, the lower id first
// among equals.
func Longest(t Tokenizer, n int) []int32 {
	var ids []int32
	for id := range int32(t.VocabSize()) {
		if t.Bytes(id) != nil {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int { return len(t.Bytes(b)) - len(t.Bytes(a)) })
	return ids[:min(n, len(ids))]
}
