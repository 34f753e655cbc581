package tokenizer

import (
	"strconv"
	"strings"
	"testing"
)

// kinds returns one tokenizer of each kind.
func kinds(t testing.TB) []Tokenizer {
	return []Tokenizer{trained(), mustGPT2(t), newChar([]rune("\n abcé")), NewByte()}
}

// allKinds adds GPT-1's, one with ids in another order, and all of them with more
// special tokens.
func allKinds(t testing.TB) []Tokenizer {
	all := append(kinds(t), mustRead(t, "testdata/golden/lowercase"), mustRead(t, "testdata/golden/bytelevel"), newChar([]rune("\x00\"<\\\u2028磨🕰\U0010ffff")))
	for _, tok := range all {
		more, err := WithSpecialTokens(tok, "<a>", "<bé>")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more)
	}
	return all
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func TestDecodeRange(t *testing.T) {
	for _, tok := range kinds(t) {
		for _, id := range []int32{-1, int32(tok.VocabSize()), 1<<31 - 1} {
			if s, err := tok.Decode([]int32{0, id}); err == nil || !strings.Contains(err.Error(), "is not in the vocabulary: tokenizer "+tok.Name()) {
				t.Errorf("%s: Decode(%d) = %q, %v", tok.Name(), id, s, err)
			}
			if b := tok.Bytes(id); b != nil {
				t.Errorf("%s: Bytes(%d) = %q, want none", tok.Name(), id, b)
			}
		}
	}
}

// TestEndOfText: it is the last id, and has no text.
func TestEndOfText(t *testing.T) {
	for _, tok := range kinds(t) {
		id := tok.EndOfText()
		if int(id) != tok.VocabSize()-1 || len(tok.Bytes(id)) != 0 {
			t.Errorf("%s: end of text %d of %d tokens stands for %q", tok.Name(), id, tok.VocabSize(), tok.Bytes(id))
		}
		if s, err := tok.Decode([]int32{id, 1, id}); err != nil || s != string(tok.Bytes(1)) {
			t.Errorf("%s: Decode gives %q, %v; want %q", tok.Name(), s, err, tok.Bytes(1))
		}
	}
}

func TestFingerprint(t *testing.T) {
	seen := make(map[string]string)
	toks := append(kinds(t), newChar([]rune("\n abcè")), newChar([]rune("\n abc")))
	for _, names := range [][]string{{"<a>"}, {"<b>"}, {"<a>", "<b>"}, {"<b>", "<a>"}} {
		tok, err := WithSpecialTokens(NewByte(), names...)
		if err != nil {
			t.Fatal(err)
		}
		toks = append(toks, tok)
	}
	for _, merges := range [][]merge{{{"a", "b"}, {"b", "c"}}, {{"b", "c"}, {"a", "b"}}} {
		v := &vocabulary{ids: vocabOf(NewByte().(extendable)), merges: merges, special: map[string]bool{EndOfTextName: true}}
		v.ids["ab"], v.ids["bc"] = 257, 258
		tok, err := v.byteLevel()
		if err != nil {
			t.Fatal(err)
		}
		toks = append(toks, tok)
	}
	for i, tok := range toks {
		f := Fingerprint(tok)
		if len(f) != 64 || f != Fingerprint(tok) {
			t.Errorf("%s: fingerprint %q is not 64 digits, or not stable", tok.Name(), f)
		}
		if prev, ok := seen[f]; ok {
			t.Errorf("tokenizer %d, %s, has the fingerprint of %s", i, tok.Name(), prev)
		}
		seen[f] = tok.Name()
	}
	// The value is stored with data and models: it may not change.
	const want = "a792da3c48f7a2185283231e11d877f8d258513434fcf0baef5865a12d7842f1"
	if got := Fingerprint(NewByte()); got != want {
		t.Errorf("the byte tokenizer's fingerprint is %s, want %s", got, want)
	}
}
