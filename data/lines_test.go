package data

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	err := EachLine([]string{dir, filepath.Join(dir, "a.txt")}, Options{}, func(line []byte) error {
		lines = append(lines, string(line))
		return nil
	})
	want := []string{"one", "two", long, "", "", "last", "packed"}
	if err != nil || strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d lines, %v", len(lines), err)
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
		file := filepath.Join(t.TempDir(), "x.txt")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := EachLine([]string{file}, Options{}, func([]byte) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
