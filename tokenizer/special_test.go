package tokenizer

import (
	"slices"
	"testing"

	"tinygpt/internal/expect"
)

// TestWithSpecialTokens: new tokens get the ids after all others, stand for no
// text, and leave everything else as it was.
func TestWithSpecialTokens(t *testing.T) {
	for _, tok := range append(kinds(t), mustRead(t, "testdata/golden/lowercase"), mustRead(t, "testdata/golden/bytelevel")) {
		before := Fingerprint(tok)
		size := int32(tok.VocabSize())
		more, err := WithSpecialTokens(tok, "<start>", "<extract>")
		if err != nil {
			t.Fatal(err)
		}
		if more, err = WithSpecialTokens(more, "<delimiter>"); err != nil {
			t.Fatal(err)
		}
		if more.VocabSize() != int(size)+3 || more.EndOfText() != tok.EndOfText() || Fingerprint(more) == before || Fingerprint(tok) != before {
			t.Errorf("%s: %d tokens, end of text %d", more.Name(), more.VocabSize(), more.EndOfText())
		}
		for i, name := range []string{"<start>", "<extract>", "<delimiter>"} {
			id, ok := SpecialID(more, name)
			if !ok || id != size+int32(i) || len(more.Bytes(id)) != 0 {
				t.Errorf("%s: %s has id %d and bytes %q", more.Name(), name, id, more.Bytes(id))
			}
			if _, ok := SpecialID(tok, name); ok {
				t.Errorf("%s: got %s too", tok.Name(), name)
			}
		}
		text := "a cab abc"
		want, err := tok.Encode(text)
		got, err2 := more.Encode(text)
		if err != nil || err2 != nil || !slices.Equal(got, want) {
			t.Errorf("%s: Encode gives %v, %v; was %v, %v", more.Name(), got, err2, want, err)
		}
	}
}

func TestSpecialNames(t *testing.T) {
	for name, tok := range map[string]Tokenizer{"gpt2+2": mustGPT2(t), "char+2": newChar([]rune("ab")), "byte+2": NewByte(), "bpe-395": trained(), "gpt1+2": mustRead(t, "testdata/golden/lowercase")} {
		more, err := WithSpecialTokens(tok, "<a>", "<b>")
		if err != nil || more.Name() != name {
			t.Errorf("%v, %v; want %s", more.Name(), err, name)
		}
	}
	for _, c := range []struct {
		tok  Tokenizer
		name string
		want string
	}{
		{NewByte(), "", "expected a name without white space around it"},
		{NewByte(), " a", "expected a name without white space around it"},
		{NewByte(), "a", "has a token of that name already, with id 97"},
		{NewByte(), "Ġ", "with id 32"},
		{NewByte(), EndOfTextName, "with id 256"},
		{newChar([]rune("aé")), "é", "with id 1"},
		{mustGPT2(t), "Ġthe", "with id 262"},
		{mustRead(t, "testdata/golden/lowercase"), "the</w>", "has a token of that name already"},
		{foreign{NewByte()}, "<a>", "takes no further special tokens"},
	} {
		_, err := WithSpecialTokens(c.tok, c.name)
		expect.Error(t, err, c.want)
	}
	if _, err := WithSpecialTokens(NewByte(), "<a>", "<a>"); err == nil {
		t.Error("the same name twice")
	}
	// GPT-1's vocabulary gets an end of text by its name.
	tok, err := WithSpecialTokens(mustRead(t, "testdata/golden/lowercase"), EndOfTextName)
	if err != nil || int(tok.EndOfText()) != tok.VocabSize()-1 || tok.Name() != "gpt1" {
		t.Errorf("%s: end of text %d of %d: %v", tok.Name(), tok.EndOfText(), tok.VocabSize(), err)
	}
}

func TestEncodeSpecial(t *testing.T) {
	tok, err := WithSpecialTokens(NewByte(), "<a>", "<a><b>", "aa")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int32{
		"":                {},
		"ab":              {'a', 'b'},
		"<a>":             {257},
		"x<a>y<a>":        {'x', 257, 'y', 257},
		"<a><b><b>":       {258, '<', 'b', '>'},
		"aaa" + "<|endof": {259, 'a', '<', '|', 'e', 'n', 'd', 'o', 'f'},
		EndOfTextName:     {256},
	} {
		if got, err := EncodeSpecial(tok, text); err != nil || !slices.Equal(got, want) {
			t.Errorf("EncodeSpecial(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	if plain, err := tok.Encode("<a>"); err != nil || !slices.Equal(plain, []int32{'<', 'a', '>'}) {
		t.Errorf("Encode gives special tokens: %v, %v", plain, err)
	}
	_, err = EncodeSpecial(newChar([]rune("ab")), "a<|endoftext|>c")
	expect.Error(t, err, "'c'")
}
