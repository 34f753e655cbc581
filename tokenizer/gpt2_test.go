package tokenizer

import (
	"bufio"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func mustGPT2(t testing.TB) Tokenizer {
	tok, err := GPT2()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestGPT2Files compares all tokens with OpenAI's encoder.json, and checks that
// the merges of vocab.bpe make the tokens in the order of their ids.
func TestGPT2Files(t *testing.T) {
	tok := mustGPT2(t)
	var ids map[string]int32
	if err := json.Unmarshal([]byte(readShared(t, "gpt2_vocab/encoder.json")), &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) != tok.VocabSize() {
		t.Fatalf("encoder.json has %d tokens, want %d", len(ids), tok.VocabSize())
	}
	for s, id := range ids {
		if s == EndOfTextName {
			if id != tok.EndOfText() {
				t.Errorf("end of text is %d, want %d", tok.EndOfText(), id)
			}
		} else if got := printable(tok.Bytes(id)); got != s {
			t.Errorf("token %d is %q, want %q", id, got, s)
		}
	}

	lines := bufio.NewScanner(strings.NewReader(readShared(t, "gpt2_vocab/vocab.bpe")))
	lines.Scan() // #version
	id := int32(256)
	for ; lines.Scan(); id++ {
		left, right, _ := strings.Cut(lines.Text(), " ")
		if got := printable(tok.Bytes(id)); got != left+right {
			t.Errorf("token %d is %q, want %q", id, got, left+right)
		}
	}
	if id != tok.EndOfText() {
		t.Errorf("vocab.bpe ends at id %d, want %d", id, tok.EndOfText())
	}
}

// TestPrintable: each byte has a visible character of its own.
func TestPrintable(t *testing.T) {
	if got, want := printable([]byte(" the\n\x00~\xad")), "ĠtheĊĀ~Ń"; got != want {
		t.Errorf("printable gives %q, want %q", got, want)
	}
	for b := range 256 {
		p := []byte{byte(b)}
		back, err := parsePrintable(printable(p))
		if err != nil || !slices.Equal(back, p) {
			t.Errorf("byte %d comes back as %v, %v", b, back, err)
		}
	}
	for _, s := range []string{" ", "\n", "\u00ad", "\u0144", "磨"} {
		if p, err := parsePrintable(s); err == nil {
			t.Errorf("parsePrintable(%q) = %v, want an error", s, p)
		}
	}
}
