package expect

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"strconv"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
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
		{"errors of inputs", func(t testing.TB) { Errors(t, map[string]string{"x": `"x": invalid`, "3": ""}, strconv.Atoi) }, false},
		{"an input without an error", func(t testing.TB) { Errors(t, map[string]string{"3": "invalid"}, strconv.Atoi) }, true},
		{"an input with one", func(t testing.TB) { Errors(t, map[string]string{"x": ""}, strconv.Atoi) }, true},
		{"another error", func(t testing.TB) { Errors(t, map[string]string{"x": "range"}, strconv.Atoi) }, true},
		{"an error of two lines", func(t testing.TB) {
			Errors(t, map[string]string{"x": "empty"}, func(string) (int, error) { return 0, lines })
		}, true},
		{"texts", func(t testing.TB) { Texts(t, map[string]string{"a": "A", "": ""}, strings.ToUpper) }, false},
		{"another text", func(t testing.TB) { Texts(t, map[string]string{"a": "B"}, strings.ToUpper) }, true},
		{"near", func(t testing.TB) { Near(t, "x", 1, 1.5, 0.5) }, false},
		{"far", func(t testing.TB) { Near(t, "x", 1, 1.5, 0.25) }, true},
		{"no number", func(t testing.TB) { Near(t, "x", math.NaN(), 1, 1e9) }, true},
	} {
		p := &probe{TB: t}
		if c.check(p); p.failed != c.failed {
			t.Errorf("%s: failed is %v", c.name, p.failed)
		}
	}
}

func TestFiles(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	good, open, dots := fixture.File(t, "good.svg", "<svg><text>one</text></svg>"), fixture.File(t, "open.svg", "<svg><text></svg>"), fixture.File(t, "dots.png", picture.String())
	dir := fixture.Files(t, map[string]string{"a.txt": "one", "b/c.txt": "two"})
	for _, c := range []struct {
		name   string
		check  func(testing.TB)
		failed bool
	}{
		{"folder", func(t testing.TB) { Folder(t, dir, "b", "a.txt") }, false},
		{"folder with another file", func(t testing.TB) { Folder(t, dir, "b") }, true},
		{"folder without a file", func(t testing.TB) { Folder(t, dir, "a.txt", "b", "c") }, true},
		{"alone", func(t testing.TB) { Alone(t, good) }, false},
		{"with others", func(t testing.TB) { Alone(t, dir+"/a.txt") }, true},
		{"no folder", func(t testing.TB) { Folder(t, good) }, true},
		{"no file", func(t testing.TB) { NoFile(t, good+".gz") }, false},
		{"a file", func(t testing.TB) { NoFile(t, good) }, true},
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
