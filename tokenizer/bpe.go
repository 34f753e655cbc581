package tokenizer

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// bpe is byte-level byte-pair encoding. Ids of our own are laid out as in GPT-2:
// the 256 bytes, the merged tokens in the order of their merges, the special
// tokens last; those read from files may lie otherwise.
type bpe struct {
	table
	*merger
	cut *names // finds the added tokens; nil: there are none
}

// chunkSize is how much text one goroutine encodes at a time: long enough to hide
// the cost of handing it over, short enough to share out a file of some megabytes
// evenly.
const chunkSize = 128 << 10

// newBPE makes an encoder of the tokens of training, whose ids are their ranks,
// with the end of text last.
func newBPE(ranked [][]byte) (*bpe, error) {
	m, err := newMerger(ranked, identity(len(ranked)), pattern)
	if err != nil {
		return nil, err
	}
	return newBPEOf(withEndOfText(ranked), m), nil
}

// identity returns the numbers from 0 to n-1.
func identity(n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

// newBPEOf makes an encoder of a table and the merger of its tokens.
func newBPEOf(t table, m *merger) *bpe {
	t.name = "bpe-" + strconv.Itoa(len(t.tokens))
	e := &bpe{table: t, merger: m}
	if len(t.added) > 0 {
		e.cut = newNames(t.added)
	}
	return e
}

func (t *bpe) extended(more table) Tokenizer {
	if strings.HasPrefix(t.name, gpt2Name) {
		return newGPT2(more, t.merger)
	}
	return newBPEOf(more, t.merger)
}

func (t *bpe) visible(id int32) string {
	if i := slices.IndexFunc(t.added, func(s SpecialToken) bool { return s.ID == id }); i >= 0 {
		return t.added[i].Name
	}
	return printable(t.tokens[id])
}

// order is what distinguishes encoders of the same tokens; see Fingerprint.
func (m *merger) order() []int32 { return m.ids }

// Encode splits large texts over all cores; the ids do not depend on their
// number.
func (t *bpe) Encode(text string) ([]int32, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	merge := func(text string) ([]int32, error) { return encodeChunks(text, cuttable, t.encodeChunk), nil }
	if t.cut != nil {
		return t.cut.encode(text, merge)
	}
	return merge(text)
}

// encodeChunks encodes the chunks of text on all cores and joins what they give.
func encodeChunks(text string, cuttable func(text string, at int) bool, encode func(chunk string) []int32) []int32 {
	if len(text) <= 2*chunkSize {
		return encode(text)
	}
	chunks := slices.Collect(cut(text, chunkSize, cuttable))
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
				ids[i] = encode(chunks[i])
			}
		})
	}
	wg.Wait()
	return slices.Concat(ids...)
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
