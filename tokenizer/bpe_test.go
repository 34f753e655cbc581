package tokenizer

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// trained returns a tokenizer with merges of all sorts, long ones among them.
var trained = sync.OnceValue(func() *bpe {
	t, err := TrainBPE(texts(strings.Join(hardTexts, "\n"), strings.Repeat("the cat's a cat, the hat's a hat\n", 3)), 400, MinCount(1))
	if err != nil {
		panic(err)
	}
	return t.(*bpe)
})

// whole encodes text by tiktoken-go alone, in one piece.
func whole(t *bpe, text string) []int32 {
	var ids []int32
	for _, id := range t.core.EncodeOrdinary(text) {
		ids = append(ids, int32(id))
	}
	return ids
}

// FuzzBPE: ids are those of tiktoken-go on the whole text, and decode to it.
func FuzzBPE(f *testing.F) {
	for _, s := range hardTexts {
		f.Add(s)
	}
	f.Add("\xff")
	f.Add("half a character: \xe7\xa3")
	f.Fuzz(func(t *testing.T, s string) {
		g, err := gpt2()
		if err != nil {
			t.Fatal(err)
		}
		for _, tok := range []*bpe{trained(), g} {
			ids, err := tok.Encode(s)
			if err != nil {
				if utf8.ValidString(s) {
					t.Fatalf("Encode(%q): %v", s, err)
				}
				continue
			}
			if got, err := tok.Decode(ids); err != nil || got != s {
				t.Fatalf("Decode(Encode(%q)) = %q, %v", s, got, err)
			}
			if want := whole(tok, s); !slices.Equal(ids, want) {
				t.Fatalf("Encode(%q) = %v, tiktoken-go gives %v", s, ids, want)
			}
			if len(s) > 0 {
				if got, want := tok.merge(nil, s, int32(len(tok.ranked))), mergeSlowly(tok, s); !slices.Equal(got, want) {
					t.Fatalf("merge(%q) = %v, want %v", s, got, want)
				}
			}
		}
	})
}

// mergeSlowly encodes s as if it were one piece, by scanning for the lowest rank
// before each merge.
func mergeSlowly(t *bpe, s string) []int32 {
	var parts []string
	for i := range len(s) {
		parts = append(parts, s[i:i+1])
	}
	for {
		best, at := int32(len(t.tokens)), -1
		for i := 1; i < len(parts); i++ {
			if r, ok := t.rank[parts[i-1]+parts[i]]; ok && r < best {
				best, at = r, i-1
			}
		}
		if at < 0 {
			break
		}
		parts[at] += parts[at+1]
		parts = slices.Delete(parts, at+1, at+2)
	}
	var ids []int32
	for _, p := range parts {
		ids = append(ids, t.rank[p])
	}
	return ids
}

// largeText returns a random text of some chunks with few places to cut: words
// of all lengths, runs of white space, characters of several bytes.
func largeText(size int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < size {
		switch r.IntN(12) {
		case 0:
			b.WriteString(strings.Repeat([]string{" ", "\n", "\u3000"}[r.IntN(3)], r.IntN(5)))
		case 1:
			b.WriteString(strings.Repeat("磨坊", r.IntN(30)))
		default:
			b.WriteString([]string{" the", "'s", " cat", "!", " 12", "é", "\t", "x", "hat", "🕰"}[r.IntN(10)])
		}
	}
	return b.String()
}

// TestEncodeLarge: a text that is encoded in parallel gives the ids that it
// gives in one piece, on any number of cores.
func TestEncodeLarge(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	tok := trained()
	for _, c := range []struct {
		text  string
		parts int
	}{
		{largeText(6 * chunkSize), 6},
		{strings.Repeat("磨", chunkSize), 1},
		{strings.Repeat(" ", 3*chunkSize), 1},
	} {
		text := c.text
		if n := len(slices.Collect(cut(text, chunkSize, cuttable))); n != c.parts {
			t.Fatalf("%q… is cut into %d parts, want %d", text[:12], n, c.parts)
		}
		want := tok.encodeChunk(text)
		for _, n := range []int{1, 3} {
			runtime.GOMAXPROCS(n)
			got, err := tok.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q…: ids on %d cores differ from those in one piece", text[:12], n)
			}
		}
	}
}

// TestEncodeLargeTiktoken compares a large text with tiktoken-go's own splitting.
func TestEncodeLargeTiktoken(t *testing.T) {
	text := largeText(3 * chunkSize)
	got, err := trained().Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, whole(trained(), text)) {
		t.Error("ids differ from tiktoken-go's")
	}
}

// TestEncodeConcurrent is for the race detector.
func TestEncodeConcurrent(t *testing.T) {
	tok := trained()
	want := whole(tok, hardTexts[5])
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := tok.Encode(hardTexts[5]); err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, %v; want %v", got, err, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestCacheBounded: what a pieceEncoder remembers stops growing.
func TestCacheBounded(t *testing.T) {
	e := &pieceEncoder{merger: trained().merger, seen: make(map[string][]int32)}
	for i := range maxCached {
		e.seen[strconv.Itoa(i)] = nil
	}
	got := e.appendPiece(nil, " unseen")
	if len(e.seen) != maxCached || !slices.Equal(got, whole(trained(), " unseen")) {
		t.Errorf("%d pieces, ids %v", len(e.seen), got)
	}
}

func TestInvalidUTF8(t *testing.T) {
	const want = "line 2, column 3 of the text (character 5, byte 6) is 0xE7, which is not UTF-8 there"
	for _, tok := range []Tokenizer{trained(), newChar([]rune("\nabé\ufffd"))} {
		_, err := tok.Encode("aé\nab\xe7\xa3b")
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", tok.Name(), err, want)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	text := readShared(b, "prose/gutenberg_mix.txt")
	small, err := TrainBPE(texts(text), 1024)
	if err != nil {
		b.Fatal(err)
	}
	large, err := GPT2()
	if err != nil {
		b.Fatal(err)
	}
	for _, tok := range []Tokenizer{small, large} {
		b.Run(tok.Name(), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := tok.Encode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
