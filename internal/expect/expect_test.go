package expect

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// probe is a test that remembers whether it failed.
type probe struct {
	testing.TB
	failed bool
}

func (p *probe) Helper()               {}
func (p *probe) Errorf(string, ...any) { p.failed = true }

func TestErrors(t *testing.T) {
	lines := errors.Join(errors.New("a.txt: line 3"), errors.New("b.txt: empty"))
	for _, c := range []struct {
		name   string
		check  func(testing.TB)
		failed bool
	}{
		{"no error", func(t testing.TB) { Error(t, nil) }, true},
		{"all parts", func(t testing.TB) { Error(t, lines, "line 3", "empty") }, false},
		{"a part is missing", func(t testing.TB) { Error(t, lines, "line 3", "line 4") }, true},
		{"one line", func(t testing.TB) { OneLine(t, errors.New("a: b"), "a: ") }, false},
		{"several lines", func(t testing.TB) { OneLine(t, lines, "empty") }, true},
		{"no line", func(t testing.TB) { OneLine(t, nil) }, true},
	} {
		p := &probe{TB: t}
		if c.check(p); p.failed != c.failed {
			t.Errorf("%s: failed is %v", c.name, p.failed)
		}
	}
}

func TestPictures(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	good, open, dots := write("good.svg", "<svg><text>one</text></svg>"), write("open.svg", "<svg><text></svg>"), write("dots.png", picture.String())
	for _, c := range []struct {
		name   string
		check  func(testing.TB)
		failed bool
	}{
		{"svg", func(t testing.TB) { SVG(t, good, "one") }, false},
		{"svg without a text", func(t testing.TB) { SVG(t, good, "two") }, true},
		{"svg with an open tag", func(t testing.TB) { SVG(t, open) }, true},
		{"png", func(t testing.TB) { PNG(t, dots, 3, 2) }, false},
		{"png of another size", func(t testing.TB) { PNG(t, dots, 2, 3) }, true},
		{"no png", func(t testing.TB) { PNG(t, good, 3, 2) }, true},
	} {
		p := &probe{TB: t}
		if c.check(p); p.failed != c.failed {
			t.Errorf("%s: failed is %v", c.name, p.failed)
		}
	}
}
