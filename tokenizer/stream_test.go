package tokenizer

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"tinygpt/internal/expect"
)

func TestStream(t *testing.T) {
	tok := NewByte()
	for _, c := range []struct {
		bytes string
		want  []string // after each byte, and of Flush
	}{
		{"ab", []string{"a", "b", ""}},
		{"é!", []string{"", "é", "!", ""}},
		{"🕰", []string{"", "", "", "🕰", ""}},
		{"\xf0\x9f", []string{"", "", "\ufffd"}},
		{"\xe2\x80 ", []string{"", "", "\ufffd ", ""}}, // Python: b"\xe2\x80 ".decode(errors="replace")
		{"\xf4\x90a", []string{"", "\ufffd\ufffd", "a", ""}},
		{"\xe7a", []string{"", "\ufffda", ""}},
		{"\xff", []string{"\ufffd", ""}},
		{"\xc3\xc3\xa9", []string{"", "\ufffd", "é", ""}},
	} {
		s := NewStream(tok)
		var got []string
		for _, b := range []byte(c.bytes) {
			out, err := s.Next(int32(b))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out)
		}
		got = append(got, s.Flush())
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.bytes, got, c.want)
		}
	}
}

func TestStreamRange(t *testing.T) {
	s := NewStream(NewByte())
	if _, err := s.Next(0xc3); err != nil {
		t.Fatal(err)
	}
	_, err := s.Next(257)
	expect.Error(t, err, "token id 257 is not in the vocabulary")
	if out, err := s.Next(s.t.EndOfText()); out != "" || err != nil {
		t.Errorf("end of text gives %q, %v", out, err)
	}
	if out, err := s.Next(0xa9); out != "é" || err != nil {
		t.Errorf("after the error: %q, %v; want é", out, err)
	}
	if out := s.Flush(); out != "" {
		t.Errorf("Flush gives %q", out)
	}
}

// FuzzStream: however ids cut the bytes, the stream gives what they give joined.
func FuzzStream(f *testing.F) {
	f.Add([]byte("plain"))
	f.Add([]byte("磨\xe7\xa3🕰\xf0\x9f\xff é\xc3"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, tok := range []Tokenizer{NewByte(), trained()} {
			s := NewStream(tok)
			var ids []int32
			var got strings.Builder
			for _, b := range raw {
				id := int32(int(b) * tok.VocabSize() / 256)
				ids = append(ids, id)
				out, err := s.Next(id)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(out)
			}
			got.WriteString(s.Flush())
			joined, err := tok.Decode(ids)
			if err != nil {
				t.Fatal(err)
			}
			want, err := unicode.UTF8.NewDecoder().String(joined)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != want || !utf8.ValidString(got.String()) {
				t.Fatalf("stream gives %q, want %q", got.String(), want)
			}
		}
	})
}
