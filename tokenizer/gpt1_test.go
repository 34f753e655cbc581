package tokenizer

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
)

// encodePairs is GPT-1's encoding of a word as its authors wrote it: of the pairs
// that are neighbours, the first of the list of merges is merged wherever it
// occurs, again and again.
func encodePairs(v *vocabulary, rank map[merge]int, word string) []int32 {
	var parts []string
	for _, r := range word {
		parts = append(parts, string(r))
	}
	parts[len(parts)-1] += writtenEndOfWord
	for {
		best, least := merge{}, len(rank)
		for i := 1; i < len(parts); i++ {
			pair := merge{parts[i-1], parts[i]}
			if r, ok := rank[pair]; ok && r < least {
				best, least = pair, r
			}
		}
		if least == len(rank) {
			break
		}
		var merged []string
		for i := 0; i < len(parts); i++ {
			if i+1 < len(parts) && (merge{parts[i], parts[i+1]}) == best {
				merged = append(merged, parts[i]+parts[i+1])
				i++
			} else {
				merged = append(merged, parts[i])
			}
		}
		parts = merged
	}
	var ids []int32
	for _, p := range parts {
		id, ok := v.ids[p]
		if !ok {
			id = v.ids[v.unknown]
		}
		ids = append(ids, id)
	}
	return ids
}

// FuzzGPT1: ids are those of the list of merges; a text cut where it may be has
// the ids of its parts.
func FuzzGPT1(f *testing.F) {
	for _, s := range append(hardTexts, "The Theory, then: the clock's CLOCKS", "aaaaaaaaaaaaaaa aaa", "^^ a^ ^a", "\x00a\x01b") {
		f.Add(s, 3)
	}
	v := &vocabulary{unknown: "<unk>"}
	if err := parseJSON([]byte(readTestdata(f, "golden/lowercase/vocab.json")), &v.ids); err != nil {
		f.Fatal(err)
	}
	merges, err := parseMerges([]byte(readTestdata(f, "golden/lowercase/merges.txt")))
	if err != nil {
		f.Fatal(err)
	}
	rank := make(map[merge]int)
	for i, m := range merges {
		rank[m] = i
	}
	tok := mustRead(f, "testdata/golden/lowercase").(*gpt1)
	f.Fuzz(func(t *testing.T, s string, size int) {
		got, err := tok.Encode(s)
		if !utf8.ValidString(s) {
			if err == nil {
				t.Fatalf("Encode(%q) takes what is no UTF-8", s)
			}
			return
		}
		var want []int32
		for word := range strings.SplitSeq(string(appendWords(nil, s, true)), string(rune(endOfWord))) {
			if word != "" {
				want = append(want, encodePairs(v, rank, word)...)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("Encode(%q) = %v, %v; want %v", s, got, err, want)
		}
		var parts []int32
		for part := range cut(s, max(1, size), betweenWords) {
			ids, err := tok.Encode(part)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, ids...)
		}
		if !slices.Equal(parts, want) {
			t.Fatalf("the parts of %q give %v, want %v", s, parts, want)
		}
		if _, err := tok.Decode(got); err != nil {
			t.Fatal(err)
		}
	})
}

// TestGPT1Large: a text that is encoded in parallel gives the ids that it gives in
// one piece, on any number of cores; long words take no quadratic time.
func TestGPT1Large(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	tok := mustRead(t, "testdata/golden/lowercase").(*gpt1)
	for _, text := range []string{largeText(4 * chunkSize), strings.Repeat("aab", chunkSize)} {
		want := tok.encodeChunk(text)
		for _, n := range []int{1, 3} {
			runtime.GOMAXPROCS(n)
			if got, err := tok.Encode(text); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q…: ids on %d cores differ from those in one piece: %v", text[:12], n, err)
			}
		}
	}
}

func TestWords(t *testing.T) {
	expect.Texts(t, map[string]string{
		"":                         "",
		" Hello,  World!\r\n":      "hello|,|world|!|",
		"don't e.g. a_b":           "don|'|t|e|.|g|.|a|_|b|",
		"Crème ǅ İ Σ ẞ":            "creme|ǆ|i|σ|ß|",
		"a\x00b\x07c\u200bd\ufffd": "abcd|",
		"a\vb\fc\u0085d":           "abcd|",
		"一天two豈":                   "一|天|two|豈|",
		"e\u0301\u0323f":           "ef|",
		"한":                        "\u1112\u1161\u11ab|",
		"“q” — $5 ^ ©":             "“|q|”|—|$|5|^|©|",
	}, func(text string) string {
		return strings.ReplaceAll(string(appendWords(nil, text, true)), string(rune(endOfWord)), "|")
	})
}
