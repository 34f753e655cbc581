package data

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/capacity"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/userfile"
)

func TestLoad(t *testing.T) {
	dir := fixture.Files(t, map[string]string{
		"b.txt": "second\r\nline", "a.txt": "\ufefffirst", "sub/c.md": "one\n<|endoftext|>\ntwo\n<|endoftext|>\n", "sub/d.bin": "no", ".hidden/e.txt": "no",
		"note.log": "a log",
	})
	for _, c := range []struct {
		patterns []string
		want     []string
	}{
		{[]string{"."}, []string{"first", "second\nline", "one", "two"}},
		{[]string{"b.txt", "a.txt", "b.txt"}, []string{"second\nline", "first"}},
		{[]string{"*.txt"}, []string{"first", "second\nline"}},
		{[]string{"note.log"}, []string{"a log"}},
	} {
		var patterns []string
		for _, p := range c.patterns {
			patterns = append(patterns, filepath.Join(dir, p))
		}
		corpus, err := Load(patterns, Options{})
		if err != nil {
			t.Errorf("%v: %v", c.patterns, err)
		}
		if got := slices.Collect(corpus.Texts()); !slices.Equal(got, c.want) {
			t.Errorf("%v: documents %q, want %q", c.patterns, got, c.want)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	dir := fixture.Files(t, map[string]string{
		"empty.txt": " \n", "latin1.txt": "fine\nna\xefve\n", "borders.txt": "<|endoftext|>\n", "not.gz": "plain", "folder/x.bin": "x",
		"utf16.txt": "\xff\xfea\x00", "mark.txt": "\ufeffab\xff", "cut.txt": "na\xc3", "mark-only.txt": "\ufeff\n",
	})
	for name, want := range map[string]string{
		"missing.txt": "no such file", "*.none": "no such file", "empty.txt": "empty", "latin1.txt": "latin1.txt:2: byte 0xef at offset 7 is not UTF-8: if it is windows-1252, which reads \"naïve\", add --encoding windows-1252",
		"borders.txt": "nothing but", "not.gz": "not gzip", "folder": "no *.txt",
		"utf16.txt": "the file is UTF-16, expected UTF-8: read it with --encoding utf-16", "mark.txt": "mark.txt:1: byte 0xff at offset 5", "cut.txt": "cut.txt:1: the file ends at offset 2", "mark-only.txt": "empty",
		"[": "not a well-formed glob",
	} {
		_, err := Load([]string{filepath.Join(dir, name)}, Options{})
		expect.OneLine(t, err, want, filepath.Base(name))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a\n<|endoftext|>\nb"))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, err := clean("f", text, Options{})
		if err != nil {
			return
		}
		docs, _ := divide("f", whole)
		for _, d := range docs {
			if !utf8.ValidString(d.Text) || strings.TrimSpace(d.Text) == "" || strings.Contains(d.Text, separator) || strings.Contains(d.Text, "\x00") {
				t.Errorf("document %q", d.Text)
			}
		}
	})
}

// A small gzip file that becomes a large one is refused before it fills the memory, as is a
// text that this computer has no memory for.
func TestTooLarge(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	for range 32 {
		w.Write(bytes.Repeat([]byte("row\n"), 1<<18))
	}
	w.Close()
	_, err := ReadText(fixture.File(t, "bomb.txt.gz", z.Bytes()), Options{})
	expect.OneLine(t, err, "bomb.txt.gz: ", "of gzip have become", "gunzip")

	defer capacity.Pretend(150 << 20)()
	_, err = userfile.ReadAll(strings.NewReader(strings.Repeat("row\n", 65<<18)))
	expect.OneLine(t, err, "64.0 MiB of text needs about 192 MiB", "name a smaller file")
	_, err = EachLine([]string{fixture.File(t, "line.txt", bytes.Repeat([]byte("row "), 65<<18))}, Options{}, func([]byte) error { return nil })
	expect.OneLine(t, err, "line.txt:1: more than", "of text needs about", "name a smaller file")
}

// FuzzGzip: a packed file is refused in one line that names it, or is text.
func FuzzGzip(f *testing.F) {
	pack := func(text string) []byte {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write([]byte(text))
		w.Close()
		return z.Bytes()
	}
	for _, s := range []string{"packed", "", "\xff", "a\x00"} {
		f.Add(pack(s))
	}
	f.Add(append(pack("one"), pack("two")...))
	f.Add(append(pack("one"), "rest"...))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := fixture.File(t, "a.txt.gz", raw)
		text, err := ReadText(path, Options{})
		if err != nil {
			if !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			return
		}
		if !utf8.ValidString(text) {
			t.Errorf("%q", text)
		}
	})
}

func TestLoadGzip(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte("packed"))
	w.Close()
	dir := fixture.Files(t, map[string]string{"a.txt.gz": z.String(), "b.log.gz": z.String(), "cut.gz": z.String()[:z.Len()-4]})
	corpus, err := Load([]string{dir}, Options{})
	if err != nil || !slices.Equal(slices.Collect(corpus.Texts()), []string{"packed"}) {
		t.Errorf("%v %v", corpus, err)
	}
	_, err = Load([]string{filepath.Join(dir, "cut.gz")}, Options{})
	expect.Error(t, err, "damaged gzip")
}

// Folders that links lead to are searched when they are named; the same file is taken
// once, however it is spelt.
func TestLoadPaths(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"real/a.txt": "a"})
	link := filepath.Join(dir, "link")
	fixture.Link(t, "real", link)
	corpus, err := Load([]string{link, filepath.Join(link, "*"), dir + "/./link//a.txt"}, Options{})
	if err != nil || len(corpus.Documents) != 1 || corpus.Documents[0].Source != filepath.Join(link, "a.txt") {
		t.Errorf("%v %v", corpus, err)
	}
}

func TestLoadStdin(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"in": "piped", "none": "", "-": "a file", "standard input": "a file"})
	read := func(name string) (Corpus, error) {
		var err error
		if os.Stdin, err = os.Open(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		defer os.Stdin.Close()
		return Load([]string{"-"}, Options{})
	}
	if corpus, err := read("in"); err != nil || corpus.Documents[0] != (Document{"standard input", "piped"}) {
		t.Errorf("%v %v", corpus, err)
	}
	t.Chdir(dir)
	for _, name := range []string{"./-", "standard input"} {
		if corpus, err := Load([]string{name}, Options{}); err != nil || corpus.Documents[0].Text != "a file" {
			t.Errorf("%s: %v %v", name, corpus, err)
		}
	}
	if _, err := read("none"); err == nil || !strings.HasPrefix(err.Error(), "standard input: the file is empty") {
		t.Errorf("empty input: %v", err)
	}
}
