package data

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// EachLine gives the lines that Load's texts have, however long they are.
func TestEachLine(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("word ", 100_000)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("packed\n"))
	z.Close()
	for name, text := range map[string]string{
		"a.txt": "\ufeffone\r\ntwo\n" + long + "\n\n<|endoftext|>\nlast", "b.txt.gz": packed.String(), ".hidden.txt": "hidden",
	} {
		fixture.Write(t, filepath.Join(dir, name), text)
	}
	var lines []string
	report, err := EachLine([]string{dir, filepath.Join(dir, "a.txt")}, Options{}, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	want := []string{"one", "two", long, "", "", "last", "packed"}
	if err != nil || strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if report.Files != 2 || report.Documents != 3 || report.Inline != 0 || len(report.LeftOut) != 2 {
		t.Errorf("%+v", report)
	}
}

// Of files that are read line by line the same is said as of those that are read whole.
func TestEachLineReport(t *testing.T) {
	dir := fixture.Files(t, map[string]string{
		"a.txt": "one<|endoftext|>two\n <|endoftext|> \n\nthree <|endoftext|>\n<|endoftext|><|endoftext|>\nfour", "b.md": "\n<|endoftext|>\n五\r\n", "c.txt": "", "d.csv": "x",
	})
	got, err := EachLine([]string{dir}, Options{}, func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Load([]string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := whole.Report
	got.Bytes, want.Bytes = 0, 0 // a file's, and its documents'
	if !reflect.DeepEqual(got, want) || got.Inline != 2 || got.Documents != 5 {
		t.Errorf("line by line: %+v\nwhole: %+v", got, want)
	}
}

func TestEachLineErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "empty",
		" \n\n":               "empty",
		"fine\nbad \xff\n":    ":2: byte 0xff at offset 9 is not UTF-8",
		"\xff\xfea\x00\n\x00": "UTF-16",
		"cut \xe4\xb8":        ":1: ",
	} {
		file := fixture.File(t, "x.txt", text)
		_, err := EachLine([]string{file}, Options{}, func([]byte) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
