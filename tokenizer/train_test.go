package tokenizer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func texts(s ...string) iter.Seq[string] { return slices.Values(s) }

// mergeList writes the merges of a trained tokenizer as testdata/merges.txt has
// them.
func mergeList(t Tokenizer) string {
	var b strings.Builder
	merges, err := mergesOf(t)
	if err != nil {
		panic(err)
	}
	for _, m := range merges {
		b.WriteString(m[0] + " " + m[1] + "\n")
	}
	return b.String()
}

func readTestdata(t testing.TB, name string) string {
	b := expect.File(t, "testdata", name)
	return string(b)
}

// readShared returns one of the larger texts, which not every machine has.
func readShared(t testing.TB, name string) string {
	return string(fixture.Read(t, "data/"+name))
}

// TestTrainGolden compares with the merges of Hugging Face's trainer; see
// testdata/merges.py.
func TestTrainGolden(t *testing.T) {
	got, err := TrainBPE(texts(readTestdata(t, "text.txt")), 1024, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.SplitAfter(readTestdata(t, "merges.txt"), "\n")
	for i, line := range strings.SplitAfter(mergeList(got), "\n") {
		if i >= len(want) || line != want[i] {
			t.Fatalf("merge %d is %q, want %q", i+1, line, want[min(i, len(want)-1)])
		}
	}
	if got.VocabSize() != 1024 || got.Name() != "bpe-1024" || got.EndOfText() != 1023 {
		t.Errorf("got %s of %d tokens, end of text %d; want bpe-1024 of 1024, 1023", got.Name(), got.VocabSize(), got.EndOfText())
	}
}

// TestTrainNewlines: Hugging Face's train_from_iterator is given documents and learns tokens
// of several line ends, as TrainBPE does; its train reads files line by line, and learns
// what TrainBPE learns of the lines.
func TestTrainNewlines(t *testing.T) {
	text := readTestdata(t, "newlines.txt")
	for golden, corpus := range map[string]iter.Seq[string]{
		"newlines_merges.txt":         texts(text),
		"newlines_by_line_merges.txt": strings.Lines(text),
	} {
		tok, err := TrainBPE(corpus, 300, MinCount(1))
		if err != nil {
			t.Fatal(err)
		}
		want := readTestdata(t, golden)
		if got := mergeList(tok); got != want {
			t.Errorf("%s: merges\n%s, want\n%s", golden, got, want)
		}
		if twoEnds := strings.Contains(want, "Ċ Ċ\n"); twoEnds != (golden == "newlines_merges.txt") {
			t.Errorf("%s has a token of two line ends: %v", golden, twoEnds)
		}
	}
}

// TestTrainGoldenLarge does the same for larger texts by the merges' SHA-256.
func TestTrainGoldenLarge(t *testing.T) {
	for _, c := range []struct {
		file   string
		sha256 map[int]string
	}{
		{"tinyshakespeare/input.txt", map[int]string{
			512:   "50f4e01445c666b4439f2878bec7d8f81014f63dfad08a4f13ed05dd5d74533d",
			4096:  "cb3ca7fbe5ee2038c0591391cce0839536e17d7e65be25c2c513559d57370c3e",
			16384: "60b73f8e6f194028c17743875ff62f67acd5c64e75e669631b0f33678362c8ab",
			65536: "899d765c979e6ed3a25d39170827cbcf71fa7aa41fe87699730d9edb034f76cc", // no pair is left
		}},
		{"prose/gutenberg_mix.txt", map[int]string{
			512:   "3bba50da9b74be38f4acde88f66af7e45f9b1168499c50111ff3de4bec01429b",
			4096:  "b85e1fbcc72431fc93ed48076eac0ef440b1c3814924df8c101f00509c2f32bd",
			16384: "7c96e7c671ebbba00098ae75a1668d15be441f93f1993f4676d8e574628fcce6",
			65536: "f661e09e3d68c2d0a560236344bd076b2126b17c3fdf6c1b0df211795979e22e", // no pair is left
		}},
		{"prose_zh/hongloumeng_1-40.txt", map[int]string{
			512:   "cf0674178ffaf51c21c5733954fd13df462af47f19bbcbb636c27a0ebca89116",
			4096:  "00d72e168d23f77812c1500c4699dc535ca44feb002e7367e865d0a40b7e49ed",
			16384: "8a3240ae674d68084c6032c03c91d418b05d405a514573db61cb8766ce25eaa1",
			1e5:   "ef8f3a93970052a163d8a921b33876248671883dab7b0b4ba9dd874284436904",
		}},
	} {
		t.Run(filepath.Dir(c.file), func(t *testing.T) {
			text := readShared(t, c.file)
			for size, want := range c.sha256 {
				tok, err := TrainBPE(texts(text), size, MinCount(1))
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256([]byte(mergeList(tok)))
				if got := hex.EncodeToString(sum[:]); got != want {
					t.Errorf("%d tokens: merges have SHA-256 %s, want %s", size, got, want)
				}
			}
		})
	}
}

// TestTrainSpecial: special tokens take ids, and nothing of the merges.
func TestTrainSpecial(t *testing.T) {
	text := readTestdata(t, "text.txt")
	plain, err := TrainBPE(texts(text), 500)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := TrainBPE(texts(text), 502, SpecialTokens("<|start|>"), SpecialTokens("<|end|>"))
	if err != nil {
		t.Fatal(err)
	}
	want := []SpecialToken{{Name: EndOfTextName, ID: 499}, {Name: "<|start|>", ID: 500}, {Name: "<|end|>", ID: 501}}
	if mergeList(tok) != mergeList(plain) || !slices.Equal(tok.SpecialTokens(), want) || tok.Name() != "bpe-502" {
		t.Errorf("%s has the special tokens %v", tok.Name(), tok.SpecialTokens())
	}
	_, err = TrainBPE(texts(text), 258, SpecialTokens("<a>", "<b>"))
	expect.Error(t, err, "it needs 259 or more (256 bytes, the end of text, 2 more special tokens, and the merges)")
	if _, err := TrainBPE(texts(text), 300, SpecialTokens("a")); err == nil {
		t.Error("a special token that is an ordinary one")
	}
}

// trainSlowly is algorithm 1 of Sennrich et al. to the letter: count all pairs
// anew for each merge. It returns the merges and the words as they end up.
func trainSlowly(t testing.TB, corpus []string, merges int, minCount int) ([][2]int32, map[string][]int32) {
	count := make(map[string]int)
	words := make(map[string][]int32)
	for _, text := range corpus {
		for _, piece := range referenceSplit(t, text) {
			count[piece]++
			words[piece] = nil
			for _, b := range []byte(piece) {
				words[piece] = append(words[piece], idOfByte[b])
			}
		}
	}
	var done [][2]int32
	for len(done) < merges {
		pairs := make(map[[2]int32]int)
		for w, ids := range words {
			for i := 1; i < len(ids); i++ {
				pairs[[2]int32{ids[i-1], ids[i]}] += count[w]
			}
		}
		var best [2]int32
		for p, n := range pairs {
			if m := pairs[best]; m == 0 || n > m || n == m && slices.Compare(p[:], best[:]) < 0 {
				best = p
			}
		}
		if pairs[best] < minCount {
			break
		}
		id := int32(256 + len(done))
		for w, ids := range words {
			var out []int32
			for i := 0; i < len(ids); i++ {
				if i+1 < len(ids) && ids[i] == best[0] && ids[i+1] == best[1] {
					out = append(out, id)
					i++
				} else {
					out = append(out, ids[i])
				}
			}
			words[w] = out
		}
		done = append(done, best)
	}
	return done, words
}

// FuzzTrain compares the incremental trainer with the slow one, and the encoding
// of each word with what training made of it: that the encoder, which knows only
// ranks, repeats the merges is the claim in bpe's comment.
func FuzzTrain(f *testing.F) {
	for _, s := range hardTexts {
		f.Add(s, "ab abab aab aaab baaa", uint8(40), uint8(1))
	}
	f.Add("aaaaaaaaaaa aaaaaaa aaaaa aaa", "aab aaab abaab ababaab", uint8(60), uint8(1))
	f.Add("low low low lower lower newest newest newest widest", "", uint8(12), uint8(2))
	f.Fuzz(func(t *testing.T, a, b string, merges, minCount uint8) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || a+b == "" || minCount == 0 || len(a)+len(b) > 2000 {
			t.Skip()
		}
		tok, err := TrainBPE(texts(a, b), minVocab+int(merges), MinCount(int(minCount)))
		if err != nil {
			t.Fatal(err)
		}
		want, words := trainSlowly(t, []string{a, b}, int(merges), int(minCount))
		if got, err := tok.(*bpe).pairs(); err != nil || !slices.Equal(got, want) {
			t.Fatalf("merges %v, %v; want %v", got, err, want)
		}
		for w, ids := range words {
			if got, err := tok.Encode(w); err != nil || !slices.Equal(got, ids) {
				t.Fatalf("Encode(%q) = %v, %v; training made it %v", w, got, err, ids)
			}
		}
	})
}

// TestTrainSmall: a corpus that runs out of pairs gives a smaller vocabulary.
func TestTrainSmall(t *testing.T) {
	for _, c := range []struct {
		name    string
		corpus  []string
		size    int
		options []TrainOption
		want    int
	}{
		{"bytes only", []string{"abab"}, minVocab, nil, minVocab},
		{"pairs occur once", []string{"abcd"}, 1000, nil, minVocab},
		{"counted once", []string{"abcd"}, 1000, []TrainOption{MinCount(1)}, minVocab + 3},
		{"never below one", []string{"abcd"}, 1000, []TrainOption{MinCount(-5)}, minVocab + 3},
		{"twice in two texts", []string{"ab", "ab"}, 1000, nil, minVocab + 1},
		{"no pair across texts", []string{"a", "b", "a", "b"}, 1000, nil, minVocab},
		{"single bytes", []string{"x"}, 1000, nil, minVocab},
	} {
		tok, err := TrainBPE(texts(c.corpus...), c.size, c.options...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if tok.VocabSize() != c.want {
			t.Errorf("%s: %d tokens, want %d", c.name, tok.VocabSize(), c.want)
		}
	}
}

func TestTrainErrors(t *testing.T) {
	for _, c := range []struct {
		corpus []string
		size   int
		want   string
	}{
		{[]string{"text"}, 256, "a vocabulary of 256 tokens is too small"},
		{[]string{"text"}, maxVocab + 1, "is too large"},
		{nil, 1000, "the corpus is empty"},
		{[]string{"", ""}, 1000, "the corpus is empty"},
		{[]string{"good", "line\nbad \xff"}, 1000, "text 2 of the corpus: line 2, column 5 of the text (character 9, byte 9) is 0xFF"},
	} {
		_, err := TrainBPE(texts(c.corpus...), c.size)
		expect.Error(t, err, c.want)
	}
}

// TestTrainDeterministic: the number of cores does not show in the result.
func TestTrainDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	text := readTestdata(t, "text.txt")
	text = strings.Repeat(text, 1+3*chunkSize/len(text))
	var prints []string
	for _, n := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(n)
		tok, err := TrainBPE(texts(text, text[:0], text), 700)
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, Fingerprint(tok))
	}
	if len(slices.Compact(prints)) != 1 {
		t.Errorf("fingerprints on 1, 2 and 5 cores: %q", prints)
	}
}

func TestProgress(t *testing.T) {
	var done []int
	_, err := TrainBPE(texts("abcabc abc"), 1000, Progress(func(n, total int) {
		if total != 1000-minVocab {
			t.Errorf("total %d, want %d", total, 1000-minVocab)
		}
		done = append(done, n)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(done, []int{1, 2}) { // ab, then abc
		t.Errorf("progress %v, want 1 2", done)
	}
}

// TestCountWords: texts cut over many goroutines count as they do whole.
func TestCountWords(t *testing.T) {
	text := strings.Repeat("one two two\n", chunkSize/4)
	var bytes []int
	got, err := countWords(texts(text, "two"), func(n int) { bytes = append(bytes, n) })
	if err != nil {
		t.Fatal(err)
	}
	n := int64(chunkSize / 4)
	want := []word{{"\n", n}, {" two", 2 * n}, {"one", n}, {"two", 1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(bytes) < 3 || !slices.IsSorted(bytes) || bytes[len(bytes)-1] != len(text)+3 {
		t.Errorf("progress %v", bytes)
	}
	if !slices.IsSortedFunc(got, func(a, b word) int { return cmp.Compare(a.text, b.text) }) {
		t.Error("words are not in order")
	}
}

// TestTrainLongWord: text without a space is one word, which must not cost
// quadratic time: a scan of the word per merge would take minutes here.
func TestTrainLongWord(t *testing.T) {
	dna := dnaText(400_000)
	tok, err := TrainBPE(texts(dna), 4096)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tok.Encode(dna)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := tok.Decode(ids); got != dna {
		t.Error("decoding does not give the text back")
	}
}

// dnaText returns n letters of ACGT in a fixed random order.
func dnaText(n int) string {
	var b bytes.Buffer
	for x := uint32(1); b.Len() < n; {
		x = x*1664525 + 1013904223
		b.WriteByte("ACGT"[x>>30])
	}
	return b.String()
}

func BenchmarkTrain(b *testing.B) {
	for _, name := range []string{"tinyshakespeare/input.txt", "prose/gutenberg_mix.txt", "prose_zh/hongloumeng_1-40.txt"} {
		text := readShared(b, name)
		for _, size := range []int{512, 4096, 16384, 1e5} {
			b.Run(filepath.Dir(name)+"/"+strconv.Itoa(size), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if _, err := TrainBPE(texts(text), size); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
