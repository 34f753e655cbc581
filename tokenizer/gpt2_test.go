package tokenizer

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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

// TestGPT2 has ids from Hugging Face's tokenizers 0.23.3 with GPT-2's files.
func TestGPT2(t *testing.T) {
	tok := mustGPT2(t)
	if tok.VocabSize() != 50257 || tok.EndOfText() != 50256 || tok.Name() != "gpt2" {
		t.Errorf("%s has %d tokens, end of text %d", tok.Name(), tok.VocabSize(), tok.EndOfText())
	}
	for _, c := range []struct {
		text string
		want []int32
	}{
		{"", []int32{}},
		{"Hello, world!", []int32{15496, 11, 995, 0}},
		{"Hello world", []int32{15496, 995}},
		{"<|endoftext|>", []int32{27, 91, 437, 1659, 5239, 91, 29}},
		{" the", []int32{262}},
		{"I'll don't DON'T", []int32{40, 1183, 836, 470, 23917, 6, 51}},
		{"  two  spaces\n\n\tx", []int32{220, 734, 220, 9029, 628, 197, 87}},
		{"éclair 磨坊 🕰️", []int32{2634, 27659, 13328, 96, 101, 161, 251, 232, 12520, 243, 108, 37929}},
		{"12345 ½", []int32{10163, 2231, 25208}},
		{"aaaaaaaaaaaaaaaaa", []int32{24794, 24794, 24794, 24794, 64}},
		{" ", []int32{220}},
		{"The miller's daughter kept three clocks", []int32{464, 3939, 263, 338, 4957, 4030, 1115, 29906}},
	} {
		got, err := tok.Encode(c.text)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("Encode(%q) = %v, %v; want %v", c.text, got, err, c.want)
		}
	}
}

// TestGPT2Text compares the ids of testdata/text.txt, by their SHA-256 as little
// endian int32, with those of Hugging Face's tokenizers 0.23.3.
func TestGPT2Text(t *testing.T) {
	ids, err := mustGPT2(t).Encode(readTestdata(t, "text.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	sum := sha256.Sum256(b)
	const want = "1850ba60b989432eb39a9273d6e3bd573d92ff5b2cf73fcb625b2008950e5a87"
	if got := hex.EncodeToString(sum[:]); len(ids) != 944 || got != want {
		t.Errorf("%d ids with SHA-256 %s, want 944 with %s", len(ids), got, want)
	}
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
