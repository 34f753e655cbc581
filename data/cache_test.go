package data

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// small has ids that fit into 2 bytes; those of runes need 4.
type small struct{ narrow }

func (small) EndOfText() int32 { return 'c' - 1 }

func TestCache(t *testing.T) {
	for name, e := range map[string]Encoder{"2 bytes": small{narrow{silent: true}}, "4 bytes": runes{}, "no end of text": endless{}} {
		c := Corpus{Documents: []Document{{"", "ab"}, {"", ""}, {"", "aaa"}}}
		s, err := Tokenize(c, e)
		if err != nil {
			t.Fatal(err)
		}
		path := fixture.NewPath(t, "a.tokens")
		for range 2 { // the second replaces the first
			if err := s.WriteCache(path, c.SHA256(), e, "f"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadCache(path, c.SHA256(), e, "f")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Tokens, s.Tokens) || !slices.Equal(got.Starts, s.Starts) || got.Bytes != s.Bytes || got.Unseparated != s.Unseparated {
			t.Errorf("%s: %+v comes back as %+v", name, s, got)
		}
		if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
			t.Errorf("%s: %d files", name, len(files))
		}

		// Another text, other borders or another tokenizer: never stale.
		for _, other := range []Corpus{
			{Documents: []Document{{"", "ab"}, {"", ""}, {"", "aab"}}},
			{Documents: []Document{{"", "a"}, {"", "b"}, {"", "aaa"}}},
			{Documents: []Document{{"", "ab"}, {"", "aaa"}}},
		} {
			_, err := ReadCache(path, other.SHA256(), e, "f")
			expect.Error(t, err, "those of another text or tokenizer")
		}
		_, err = ReadCache(path, c.SHA256(), e, "g")
		expect.Error(t, err, "those of another text or tokenizer")

		// Every change of a byte and every cut is found.
		file := expect.File(t, path)
		for i := range file {
			damaged := bytes.Clone(file)
			damaged[i] ^= 1
			for _, b := range [][]byte{damaged, file[:i]} {
				if _, err := parseCache(b, headerOf(c.SHA256(), e, "f"), e.VocabSize()); err == nil {
					t.Fatalf("%s: damaged at byte %d of %d, and not found", name, i, len(file))
				}
			}
		}
	}
	if _, err := ReadCache(fixture.NewPath(t, "none"), "", runes{}, "f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := (&Stream{}).WriteCache(filepath.Join(t.TempDir(), "none", "a"), "", runes{}, "f"); err == nil {
		t.Error("written into no folder")
	}
}

// A file that somebody has made with its checksum, but with tokens that the tokenizer hasn't or
// with documents that begin elsewhere, is refused: a model would read beyond its tables.
func TestCacheOfOthers(t *testing.T) {
	c := Corpus{Documents: []Document{{"", "ab"}, {"", "aaa"}}}
	e := narrow{}
	whole, err := Tokenize(c, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		change func(s *Stream)
		says   string
	}{
		{func(s *Stream) { s.Tokens[1] = int32(e.VocabSize()) }, "the tokenizer has"},
		{func(s *Stream) { s.Starts[0] = -1 }, "document 0 begins at token -1"},
		{func(s *Stream) { s.Starts[1] = len(s.Tokens) }, "document 1 begins at token"},
		{func(s *Stream) { s.Starts[1] = s.Starts[0] }, "document 1 begins at token"},
		{func(s *Stream) { s.Starts = nil }, "tokens and no document"},
		{func(s *Stream) {}, ""},
	} {
		s := &Stream{Tokens: slices.Clone(whole.Tokens), Starts: slices.Clone(whole.Starts), Bytes: whole.Bytes}
		k.change(s)
		path := fixture.NewPath(t, "a.tokens")
		if err := s.WriteCache(path, c.SHA256(), e, "f"); err != nil {
			t.Fatal(err)
		}
		_, err := ReadCache(path, c.SHA256(), e, "f")
		if k.says != "" {
			expect.OneLine(t, err, k.says)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// FuzzCache seals what the fuzzer makes, as if someone had meant it.
func FuzzCache(f *testing.F) {
	header := headerOf("ab", runes{}, "f")
	f.Add([]byte(`{"format":"tinygpt tokens 1","text_sha256":"` + header.Text + `","text_bytes":1,"tokenizer_sha256":"f","dtype":"<u4","tokens":1,"documents":1}` + "\n\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := sha256.Sum256(b)
		if s, err := parseCache(append(b, sum[:]...), header, 1000); err == nil && (len(s.Tokens)*4+len(s.Starts)*8 > len(b) || slices.ContainsFunc(s.Tokens, func(id int32) bool { return id < 0 || id >= 1000 })) {
			t.Errorf("tokens %v from %d bytes", s.Tokens, len(b))
		}
	})
}
