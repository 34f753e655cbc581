package expect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// File returns the content of a file, which must be there; its path is that of the
// elements joined.
func File(t testing.TB, elements ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Says fails the test unless a file has each of the texts.
func Says(t testing.TB, path string, texts ...string) {
	t.Helper()
	content := string(File(t, path))
	for _, text := range texts {
		if !strings.Contains(content, text) {
			t.Errorf("%s: %q is not in it", path, text)
		}
	}
}

// XML returns the tokens of a text, and fails the test if it isn't well-formed XML; errors
// mention name.
func XML(t testing.TB, name string, text []byte) iter.Seq[xml.Token] {
	t.Helper()
	return func(yield func(xml.Token) bool) {
		for d := xml.NewDecoder(bytes.NewReader(text)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if !yield(token) {
				return
			}
		}
	}
}

// Folder fails the test unless a folder has files and folders of these names, and no others.
func Folder(t testing.TB, path string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	found := make([]string, len(entries))
	for i, e := range entries {
		found[i] = e.Name()
	}
	slices.Sort(names)
	if !slices.Equal(found, names) {
		t.Errorf("%s has %q, expected %q", path, found, names)
	}
}

// Alone fails the test unless a file is the only one in its folder.
func Alone(t testing.TB, path string) {
	t.Helper()
	Folder(t, filepath.Dir(path), filepath.Base(path))
}

// NoFile fails the test if there is a file or a folder at the path.
func NoFile(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there, expected no file: %v", path, err)
	}
}

// SVG fails the test unless a file is well-formed XML in which each text is found.
func SVG(t testing.TB, path string, texts ...string) {
	t.Helper()
	for range XML(t, path, File(t, path)) {
	}
	Says(t, path, texts...)
}

// PNG fails the test unless a file is a picture of that size.
func PNG(t testing.TB, path string, width, height int) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(File(t, path)))
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	if size := picture.Bounds().Size(); size.X != width || size.Y != height {
		t.Errorf("%s: %d × %d, expected %d × %d", path, size.X, size.Y, width, height)
	}
}
