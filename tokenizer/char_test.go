package tokenizer

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
)

func TestChar(t *testing.T) {
	tok, err := NewChar(texts("hello\n", "", "磨 Wo!"))
	if err != nil {
		t.Fatal(err)
	}
	const chars = "\n !Wehlo磨" // ascending code points
	if tok.VocabSize() != 10 || tok.EndOfText() != 9 || tok.Name() != "char" {
		t.Errorf("%s has %d tokens, end of text %d; want 10, 9", tok.Name(), tok.VocabSize(), tok.EndOfText())
	}
	ids, err := tok.Encode(chars)
	if err != nil || !slices.Equal(ids, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("Encode(%q) = %v, %v", chars, ids, err)
	}
}

// TestCharShakespeare has the numbers of nanoGPT's character-level example.
func TestCharShakespeare(t *testing.T) {
	text := readShared(t, "tinyshakespeare/input.txt")
	tok, err := NewChar(texts(text))
	if err != nil {
		t.Fatal(err)
	}
	if tok.VocabSize() != 65+1 {
		t.Errorf("%d tokens, want 65 and the end of text", tok.VocabSize())
	}
	ids, err := tok.Encode("hii there")
	if err != nil || !slices.Equal(ids, []int32{46, 47, 47, 1, 58, 46, 43, 56, 43}) {
		t.Errorf("Encode = %v, %v", ids, err)
	}
}

func TestCharErrors(t *testing.T) {
	tok := newChar([]rune("\n abc"))
	_, err := tok.Encode("abc\n caé")
	const want = `line 2, column 4 of the text (character 7, byte 7) is character 'é' (U+00E9), which is not among the 5 characters`
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "--tokenizer bpe") {
		t.Errorf("error %v, want %s … --tokenizer bpe", err, want)
	}
	if _, err := NewChar(texts()); err != errEmptyCorpus {
		t.Errorf("no text: error %v, want %v", err, errEmptyCorpus)
	}
	_, err = NewChar(texts("a", "\xc3"))
	expect.Error(t, err, "text 2 of the corpus: line 1, column 1")
}

// FuzzSimple: char and byte tokenizers give back what they take.
func FuzzSimple(f *testing.F) {
	for _, s := range append(hardTexts, "\xff\xc3") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		toks := []Tokenizer{NewByte()}
		if s != "" && utf8.ValidString(s) {
			c, err := NewChar(texts(s))
			if err != nil {
				t.Fatal(err)
			}
			toks = append(toks, c)
		}
		for _, tok := range toks {
			ids, err := tok.Encode(s)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tok.Decode(ids); err != nil || got != s {
				t.Fatalf("%s: Decode(Encode(%q)) = %q, %v", tok.Name(), s, got, err)
			}
		}
	})
}

func TestByte(t *testing.T) {
	tok := NewByte()
	if tok.VocabSize() != 257 || tok.EndOfText() != 256 || tok.Name() != "byte" {
		t.Errorf("%s has %d tokens, end of text %d; want 257, 256", tok.Name(), tok.VocabSize(), tok.EndOfText())
	}
	if ids, err := tok.Encode("é\xff\x00"); err != nil || !slices.Equal(ids, []int32{0xc3, 0xa9, 0xff, 0}) {
		t.Errorf("Encode = %v, %v", ids, err)
	}
}
