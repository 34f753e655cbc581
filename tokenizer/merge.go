package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pkoukk/tiktoken-go"
)

// merger encodes pieces of text by byte-pair merges. It numbers symbols by rank:
// the 256 bytes, then what each merge makes, in the order of the merges. Encoding
// a piece merges, again and again, the neighbours whose joined bytes have the
// lowest rank.
//
// Ranks of joined bytes suffice; no list of merged pairs is needed. Consider a stretch
// of bytes that ends up as one symbol u+v: no merge reached across its ends, so what
// happened within it does not depend on what is around it, and every such stretch is
// merged the same way. Two different pairs thus never give the same symbol, as long as
// each symbol's own bytes become its pair by the merges before it. Training sees to
// that; pairs checks it for symbols from outside.
type merger struct {
	ranked [][]byte         // the bytes of the symbol of each rank
	rank   map[string]int32 // its inverse
	ids    []int32          // the token of each rank, which is often the rank itself
	core   *tiktoken.Tiktoken

	// pairs returns the two symbols that make each symbol from rank 256 on, or an
	// error if there is one that no two symbols before it make.
	pairs func() ([][2]int32, error)

	encoders sync.Pool // of *pieceEncoder
}

const (
	// maxCached bounds the pieces that a pieceEncoder remembers; English text
	// of 100 MB has about as many different words.
	maxCached = 1 << 17

	// longPiece is the length in bytes from which a piece is encoded by
	// mergeLong: tiktoken-go's time grows with the square of the length.
	longPiece = 512
)

// newMerger makes a merger of symbols with their tokens. Pieces must be matches
// of pattern as a whole.
//
// Call pairs to check symbols that come from outside.
func newMerger(ranked [][]byte, ids []int32, pattern string) (*merger, error) {
	ranks := make(map[string]int, len(ranked)) // tiktoken-go's form
	m := &merger{ranked: ranked, ids: ids, rank: make(map[string]int32, len(ranked))}
	m.pairs = sync.OnceValues(m.findPairs)
	for r, symbol := range ranked {
		ranks[string(symbol)] = r
		m.rank[string(symbol)] = int32(r)
	}
	core, err := tiktoken.NewCoreBPE(ranks, nil, pattern)
	if err != nil {
		return nil, err
	}
	m.core = tiktoken.NewTiktoken(core, &tiktoken.Encoding{PatStr: pattern}, nil)
	m.encoders.New = func() any { return &pieceEncoder{merger: m, seen: make(map[string][]int32)} }
	return m, nil
}

// findPairs takes each symbol apart: it is made of the two symbols that its bytes
// become by the merges before it.
func (m *merger) findPairs() ([][2]int32, error) {
	pairs := make([][2]int32, len(m.ranked)-256)
	var parts []int32
	for i := range pairs {
		symbol := m.ranked[256+i]
		parts = m.merge(parts[:0], string(symbol), int32(256+i))
		if len(parts) != 2 {
			return nil, fmt.Errorf("token %.80q is not made of two tokens before it: the merges before it make %d of its text", printable(symbol), len(parts))
		}
		pairs[i] = [2]int32(parts)
	}
	return pairs, nil
}

// pieceEncoder encodes pieces and remembers their tokens, since words recur. Each is
// used by one goroutine at a time.
type pieceEncoder struct {
	*merger
	seen map[string][]int32
}

// appendPiece appends the token ids of a piece.
func (e *pieceEncoder) appendPiece(ids []int32, piece string) []int32 {
	if r, ok := e.rank[piece]; ok {
		return append(ids, e.ids[r])
	}
	if known, ok := e.seen[piece]; ok {
		return append(ids, known...)
	}
	start := len(ids)
	if len(piece) >= longPiece {
		ids = e.merge(ids, piece, int32(len(e.ranked)))
		for i := range ids[start:] {
			ids[start+i] = e.ids[ids[start+i]]
		}
		return ids
	}
	for _, r := range e.core.EncodeOrdinary(piece) {
		ids = append(ids, e.ids[r])
	}
	if len(e.seen) < maxCached {
		e.seen[strings.Clone(piece)] = slices.Clone(ids[start:])
	}
	return ids
}

// merge appends the ranks that a piece of any length becomes by the merges that
// make symbols below limit: the same merges in the same order as tiktoken-go's,
// lowest rank first and leftmost among equals, with a heap of candidates in place
// of a scan per merge. n log n instead of n² matters for text without spaces: a
// megabyte of DNA or base64 is one piece.
func (m *merger) merge(ranks []int32, piece string, limit int32) []int32 {
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
		if r, ok := m.rank[piece[i:next[next[i]]]]; ok && r < limit {
			h.push(mergeable{r, i})
		}
	}
	for i := range int32(n) {
		offer(i)
	}
	for len(h.items) > 0 {
		c := h.pop()
		i := c.at
		j := next[i]
		if j == 0 || int(j) == n || int(next[j]-i) != len(m.ranked[c.rank]) {
			continue
		}
		next[i], next[j] = next[j], 0
		if int(next[i]) < n {
			prev[next[i]] = i
		}
		offer(i)
		offer(prev[i])
	}
	ranks = slices.Grow(ranks, n/4)
	for i := int32(0); int(i) < n; i = next[i] {
		ranks = append(ranks, m.rank[piece[i:next[i]]])
	}
	return ranks
}

// mergeable is a candidate of merge.
type mergeable struct {
	rank int32
	at   int32
}
