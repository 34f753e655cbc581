package tokenizer

import (
	"slices"
	"testing"
)

func TestSymbols(t *testing.T) {
	made, err := NewSymbols("bé0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Save(dir, made, 11); err != nil {
		t.Fatal(err)
	}
	read := mustRead(t, dir)
	for _, tok := range []Tokenizer{made, read} {
		ids, err := tok.Encode("0bé0")
		if err != nil || !slices.Equal(ids, []int32{2, 0, 1, 2}) || tok.VocabSize() != 3 || tok.EndOfText() != -1 {
			t.Errorf("%v %v, %d tokens, end of text %d", ids, err, tok.VocabSize(), tok.EndOfText())
		}
		if text, err := tok.Decode([]int32{1, 2}); text != "é0" {
			t.Errorf("%q %v", text, err)
		}
		if _, err := tok.Encode("c"); err == nil {
			t.Error("a character that isn't among the symbols was encoded")
		}
	}
	if Fingerprint(made) != Fingerprint(read) {
		t.Error("the fingerprint changed on the way")
	}
	for _, bad := range []string{"", "aba", "\xff"} {
		if _, err := NewSymbols(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
