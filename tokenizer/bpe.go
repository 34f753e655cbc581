package tokenizer

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/pkoukk/tiktoken-go"
)

// bpe is byte-level byte-pair encoding. Ids are laid out as in GPT-2: the 256
// bytes, the merged tokens in the order of their merges, the end of text last.
// A token's id is also its rank: encoding a piece merges, again and again, the
// neighbours whose joined bytes have the lowest rank.
//
// That ranks of joined bytes suffice, with no list of merged pairs, is no
// accident. Follow a stretch of bytes that ends up as one token u+v: no merge
// reached across its ends, so what happened within it does not depend on what
// stands around it, and every such stretch has been merged the same way. Two
// different pairs thus never give the same token.
type bpe struct {
	table
	merges   [][2]int32 // the pair that made token 256+i; nil for GPT-2's
	rank     map[string]int32
	core     *tiktoken.Tiktoken
	encoders sync.Pool // of *pieceEncoder
}

const (
	// chunkSize is how much text one goroutine encodes at a time: long enough
	// to hide the cost of handing it over, short enough to share out a file of
	// some megabytes evenly.
	chunkSize = 128 << 10

	// maxCached bounds the pieces that a pieceEncoder remembers; English text
	// of 100 MB has about as many different words.
	maxCached = 1 << 17

	// longPiece is the length in bytes from which a piece is encoded by
	// mergeLong: tiktoken-go's time grows with the square of the length.
	longPiece = 512
)

// newBPE makes an encoder of tokens, which are given in the order of their ids
// without the end of text.
func newBPE(name string, tokens [][]byte, merges [][2]int32) (*bpe, error) {
	ranks := make(map[string]int, len(tokens)) // tiktoken-go's form
	rank := make(map[string]int32, len(tokens))
	for id, tok := range tokens {
		if prev, ok := rank[string(tok)]; ok {
			return nil, fmt.Errorf("tokens %d and %d are both %q", prev, id, printable(tok))
		}
		ranks[string(tok)] = id
		rank[string(tok)] = int32(id)
	}
	endOfText := len(tokens)
	special := map[string]int{EndOfTextName: endOfText}
	core, err := tiktoken.NewCoreBPE(ranks, special, pattern)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w", name, err)
	}
	t := &bpe{
		table: table{
			name:      name,
			tokens:    append(slices.Clip(tokens), nil),
			endOfText: int32(endOfText),
		},
		merges: merges,
		rank:   rank,
		core:   tiktoken.NewTiktoken(core, &tiktoken.Encoding{Name: name, PatStr: pattern}, nil),
	}
	t.encoders.New = func() any { return &pieceEncoder{bpe: t, seen: make(map[string][]int32)} }
	return t, nil
}

// Encode splits large texts over all cores; the ids do not depend on their
// number.
func (t *bpe) Encode(text string) ([]int32, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	if len(text) <= 2*chunkSize {
		return t.encodeChunk(text), nil
	}
	chunks := slices.Collect(cut(text, chunkSize))
	ids := make([][]int32, len(chunks))
	next := make(chan int, len(chunks))
	for i := range chunks {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(chunks)) {
		wg.Go(func() {
			for i := range next {
				ids[i] = t.encodeChunk(chunks[i])
			}
		})
	}
	wg.Wait()
	return slices.Concat(ids...), nil
}

func (t *bpe) encodeChunk(text string) []int32 {
	e := t.encoders.Get().(*pieceEncoder)
	defer t.encoders.Put(e)
	ids := make([]int32, 0, len(text)/2+1)
	for len(text) > 0 {
		n := nextPiece(text)
		ids = e.appendPiece(ids, text[:n])
		text = text[n:]
	}
	return ids
}

// pieceEncoder encodes pieces and remembers what they became, for words come
// again and again. Each is used by one goroutine at a time.
type pieceEncoder struct {
	*bpe
	seen map[string][]int32
}

func (e *pieceEncoder) appendPiece(ids []int32, piece string) []int32 {
	if id, ok := e.rank[piece]; ok {
		return append(ids, id)
	}
	if len(piece) >= longPiece {
		return e.mergeLong(ids, piece)
	}
	if known, ok := e.seen[piece]; ok {
		return append(ids, known...)
	}
	start := len(ids)
	for _, id := range e.core.EncodeOrdinary(piece) {
		ids = append(ids, int32(id))
	}
	if len(e.seen) < maxCached {
		e.seen[strings.Clone(piece)] = slices.Clone(ids[start:])
	}
	return ids
}
