package corpus

import (
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

func split(t *testing.T, name, line string) (words []string) {
	t.Helper()
	s, err := NewSplitter(name)
	if err != nil {
		t.Fatal(err)
	}
	s([]byte(line), func(w []byte) { words = append(words, string(w)) })
	return words
}

func TestSplitters(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"words", "The KING's crown, 1990: Ärger—naïve.", "the|king|s|crown|1990|ärger|naïve"},
		{"words", "词向量 word2vec です", "词|向|量|word2vec|で|す"},
		{"words", "  ", ""},
		{"spaces", " New_York  is\tbig\u00a0. ", "New_York|is|big|."},
		{"characters", "a 词.", "a|词|."},
	} {
		if got := strings.Join(split(t, c.name, c.line), "|"); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.name, c.line, got, c.want)
		}
	}
	if _, err := NewSplitter("other"); err == nil {
		t.Error("a splitter of an unknown name: no error")
	}
}

// FuzzWords: whatever the bytes, words are lower-case and hold no space.
func FuzzWords(f *testing.F) {
	f.Add([]byte("The End, 词 \xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, name := range Splitters {
			s, _ := NewSplitter(name)
			s(line, func(w []byte) {
				if len(w) == 0 || strings.ContainsAny(string(w), " \n\t") {
					t.Fatalf("%s: the word %q", name, w)
				}
			})
		}
	})
}

func build(t *testing.T, text string, minCount, maxWords int) *Text {
	t.Helper()
	s, _ := NewSplitter("spaces")
	b := NewBuilder(s)
	b.AddText(text)
	x, err := b.Text(minCount, maxWords, true)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestVocabulary(t *testing.T) {
	x := build(t, "b a b c\n\nrare\na b d a\nd", 2, 0)
	v := x.Vocabulary
	if !slices.Equal(v.Words, []string{"b", "a", "d"}) || !slices.Equal(v.Counts, []int64{3, 3, 2}) || v.Total != 8 {
		t.Errorf("words %q, counts %v, total %d", v.Words, v.Counts, v.Total)
	}
	if v.RemovedWords != 2 || v.Removed != 2 {
		t.Errorf("removed %d words, %d times; want 2 and 2", v.RemovedWords, v.Removed)
	}
	if want := []int32{0, 1, 0, LineEnd, 1, 0, 2, 1, LineEnd, 2, LineEnd}; !slices.Equal(x.Tokens.All(), want) {
		t.Errorf("tokens %v, want %v", x.Tokens.All(), want)
	}
	if x := build(t, "b a b c a b", 1, 2); !slices.Equal(x.Vocabulary.Words, []string{"b", "a"}) {
		t.Errorf("the two most frequent words: %q", x.Vocabulary.Words)
	}
}

// A vocabulary too small to mean anything is refused with what to do.
func TestTooSmall(t *testing.T) {
	s, _ := NewSplitter("spaces")
	b := NewBuilder(s)
	b.AddText("a a a a a b b c")
	_, err := b.Text(5, 0, false)
	expect.Error(t, err, "1 keeps 3 words (8 tokens), 2 keeps 2 words (7 tokens), 5 keeps 1 words (5 tokens)")
	if _, err := b.Text(9, 0, true); err == nil {
		t.Error("no word at all: no error even if forced")
	}
}

func TestSplitText(t *testing.T) {
	x := build(t, strings.Repeat("a b c\n", 25), 1, 0)
	first, second := x.Split(0.1)
	training, heldOut := first.All(), second.All()
	if len(training)+len(heldOut) != x.Tokens.Len() || training[len(training)-1] != LineEnd {
		t.Errorf("%d and %d of %d tokens, the first part ends with %d", len(training), len(heldOut), x.Tokens.Len(), training[len(training)-1])
	}
	if n := len(heldOut); n < 4 || n > 10 {
		t.Errorf("%d tokens are held out, want about 10", n)
	}
	if _, none := x.Split(0); none.Len() != 0 {
		t.Errorf("%d tokens are held out, want none", none.Len())
	}
}

// Draws follow f^(3/4): the chi-square statistic of 10^6 draws stays below its 99.9 %
// quantile for 99 degrees of freedom.
func TestNoise(t *testing.T) {
	counts := make([]int64, 100)
	for i := range counts {
		counts[i] = int64(100_000 / (i + 1))
	}
	p := Probabilities(counts, 0.75)
	noise, r := NewNoise(counts, 0.75), NewRandom(1)
	const draws = 1_000_000
	seen := make([]float64, len(counts))
	for range draws {
		seen[noise.Draw(r.Next())]++
	}
	chi := 0.0
	for i, n := range seen {
		want := draws * p[i]
		chi += (n - want) * (n - want) / want
	}
	if chi > 148.2 {
		t.Errorf("chi-square is %.1f, want below 148.2", chi)
	}
	if one := NewNoise([]int64{7}, 0.75); one.Draw(math.MaxUint64) != 0 || one.Draw(0) != 0 {
		t.Error("of one word, another was drawn")
	}
}

// An occurrence is kept with probability √(t/f) + t/f.
func TestSubsampling(t *testing.T) {
	const n = 200_000
	var tokens []int32
	for range n {
		tokens = append(tokens, 0, 1)
	}
	tokens = append(tokens, LineEnd, 2)
	v := &Vocabulary{Words: []string{"a", "b", "c"}, Counts: []int64{n, n, 1}, Total: 2*n + 1}
	s, r := NewSubsampling(v, 0.01), NewRandom(2)
	ids, lines := s.Sample(nil, nil, tokens, &r)
	want := math.Sqrt(0.01/0.5) + 0.01/0.5
	if got := float64(len(ids)-1) / (2 * n); math.Abs(got-want) > 0.003 {
		t.Errorf("%.4f of the frequent words are kept, want %.4f", got, want)
	}
	if last := len(ids) - 1; ids[last] != 2 || lines[last] != 1 {
		t.Errorf("the rare word of the second line: %d in line %d", ids[last], lines[last])
	}
	kept, largest := v.ExpectedKept(0.01)
	if math.Abs(kept-float64(2*n)*want-1) > 1 || math.Abs(largest-0.5) > 1e-3 {
		t.Errorf("expected %v kept, the largest share %v", kept, largest)
	}
	ids, _ = NewSubsampling(v, 0).Sample(nil, nil, tokens, &r)
	if len(ids) != 2*n+1 {
		t.Errorf("without subsampling %d of %d are kept", len(ids), 2*n+1)
	}
}
