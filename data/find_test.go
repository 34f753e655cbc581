package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// load loads patterns below a folder and returns the texts.
func load(t *testing.T, dir string, patterns ...string) (texts []string, r Report) {
	t.Helper()
	for i, p := range patterns {
		patterns[i] = filepath.Join(dir, p)
	}
	c, err := Load(patterns, Options{})
	if err != nil {
		t.Fatalf("%v: %v", patterns, err)
	}
	return slices.Collect(c.Texts()), c.Report
}

func expectTexts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("texts %q, want %q", got, want)
	}
}

// leftOut is what was left out, relative to dir, as "name: why".
func leftOut(dir string, r Report) (out []string) {
	for _, l := range r.LeftOut {
		name, _ := filepath.Rel(dir, l.Path)
		out = append(out, filepath.ToSlash(name)+": "+l.Why)
	}
	slices.Sort(out)
	return out
}

var tree = map[string]string{
	"a.txt": "a", "B.TXT": "b", "c.Md": "c", "sub/d.txt": "d", "sub/deep/e.txt": "e", "sub/deep/f.log": "f", "g.rst": "g",
	".hidden.txt": "no", ".git/h.txt": "no", "sub/.i/j.txt": "no", "a.txt~": "no", "#a.txt#": "no", "a.txt.bak": "no", "empty.txt": "", "blank.md": " \n",
}

func TestGlobs(t *testing.T) {
	dir := fixture.Files(t, tree)
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"**/*.txt", []string{"a", "d", "e"}},
		{"sub/**", []string{"d", "e", "f"}},
		{"**/*.{txt,log}", []string{"a", "d", "e", "f"}},
		{"*.[tT]*", []string{"b", "a"}},
		{"sub/*/*", []string{"e", "f"}},
		{"*", []string{"b", "a", "c", "g", "d", "e"}}, // the folder sub is searched through
		{".*.txt", []string{"no"}},
		{"**/.i/*.txt", []string{"no"}},
		{"*~", []string{"no"}},
		{"*.bak", []string{"no"}},
	} {
		got, _ := load(t, dir, c.pattern)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.pattern, got, c.want)
		}
	}
}

// TestLinksToFolders: ** and folders don't follow links to folders, which may lead round in
// a circle.
func TestLinksToFolders(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"a.txt": "a", "sub/b.txt": "b"})
	for name, target := range map[string]string{"self": ".", "sub/up": ".."} {
		fixture.Link(t, target, filepath.Join(dir, name))
	}
	for _, pattern := range []string{"**", "**/*.txt", "."} {
		got, r := load(t, dir, pattern)
		expectTexts(t, got, "a", "b")
		if left := leftOut(dir, r); pattern != "**/*.txt" && !slices.Equal(left, []string{"self: a link to a folder", "sub/up: a link to a folder"}) {
			t.Errorf("%s: left out %q", pattern, left)
		}
	}
	got, _ := load(t, dir, "self/a.txt") // named it is followed
	expectTexts(t, got, "a")
}

// TestNoMatch: why a name is no file's.
func TestNoMatch(t *testing.T) {
	t.Chdir(fixture.Files(t, map[string]string{"a.txt": "a", "b.txt": "b"}))
	expect.Errors(t, map[string]string{
		"~/a.txt":            "only where a blank is before it",
		"https://host.org/a": "texts are read from files; download it first",
		"a.txt,b.txt":        "name each file by itself",
		"no,such.txt":        "no such file, folder or match",
		"*.nothing":          "no such file, folder or match",
	}, func(pattern string) (Corpus, error) { return Load([]string{pattern}, Options{}) })
}

// TestLeftOut: what a folder or a glob has and isn't read is in the report.
func TestLeftOut(t *testing.T) {
	dir := fixture.Files(t, tree)
	got, r := load(t, dir, ".")
	expectTexts(t, got, "b", "a", "c", "d", "e")
	want := []string{
		"#a.txt#: an editor's copy", ".git: hidden", ".hidden.txt: hidden", "a.txt.bak: an editor's copy", "a.txt~: an editor's copy", "blank.md: empty",
		"empty.txt: empty", "g.rst: neither .txt nor .md", "sub/.i: hidden", "sub/deep/f.log: neither .txt nor .md",
	}
	if left := leftOut(dir, r); !slices.Equal(left, want) {
		t.Errorf("left out\n%q, want\n%q", left, want)
	}
	for _, line := range []string{"5 files, 5 documents, 5 bytes\nleft out: ", "3 an editor's copy (", "2 empty (", "3 hidden (", "2 neither .txt nor .md ("} {
		if !strings.Contains(r.String(), line) {
			t.Errorf("%q isn't in\n%s", line, r)
		}
	}
	_, r = load(t, dir, "**/*.txt")
	want = []string{".git: hidden", ".hidden.txt: hidden", "empty.txt: empty", "sub/.i: hidden"}
	if left := leftOut(dir, r); !slices.Equal(left, want) {
		t.Errorf("left out\n%q, want\n%q", left, want)
	}
}

// TestOnce: a file is read once, however it is reached.
func TestOnce(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"a.txt": "a", "b.txt": "a", "sub/c.txt": "c"})
	fixture.Link(t, "a.txt", filepath.Join(dir, "link.txt"))
	if err := os.Link(filepath.Join(dir, "a.txt"), filepath.Join(dir, "hard.txt")); err != nil {
		t.Skip("no hard links here: ", err)
	}
	fixture.Link(t, "nothing", filepath.Join(dir, "dangling.txt"))
	t.Chdir(dir)
	c, err := Load([]string{"a.txt", filepath.Join(dir, "a.txt"), "./a.txt", "link.txt", "hard.txt", ".", "*.txt", "sub/../a.txt"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expectTexts(t, slices.Collect(c.Texts()), "a", "a", "c")
	if !strings.Contains(c.Report.String(), "read already") || !strings.Contains(c.Report.String(), "a link to nothing (dangling.txt") {
		t.Error(c.Report)
	}
	// Of one that is named nothing may be wrong.
	_, err = Load([]string{"dangling.txt"}, Options{})
	expect.Error(t, err, "dangling.txt: the link leads to nothing, which isn't there")
}

// TestShellGlob: of the names that a shell makes of * one odd file doesn't stop the rest.
func TestShellGlob(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"a.txt": "a", "a.txt~": "a", "empty.txt": " \n", "b.text": "b"})
	fixture.Link(t, "nothing", filepath.Join(dir, "dangling.txt"))
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	expectTexts(t, slices.Collect(c.Texts()), "a", "b")
	if got := c.Report.String(); len(c.Report.LeftOut) != 3 || !strings.Contains(got, "1 empty") || !strings.Contains(got, "1 an editor's copy") || !strings.Contains(got, "1 a link to nothing") {
		t.Error(got)
	}
	lines, err := EachLine(names, Options{}, func([]byte) error { return nil })
	if err != nil || len(lines.LeftOut) != 3 {
		t.Errorf("line by line: %v, %v", lines, err)
	}
	_, err = Load(append(names, filepath.Join(dir, "missing.txt")), Options{})
	expect.Error(t, err, "missing.txt")
}

// TestAllErrors: an error names all files that can't be read, not one each try.
func TestAllErrors(t *testing.T) {
	dir := fixture.Files(t, map[string]string{"1.txt": "a\xff", "2.txt": "fine", "3.txt": "b\x00c", "4.txt": "PK\x03\x04\x14\x00\x00\x00"})
	_, err := Load([]string{dir}, Options{})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatalf("%v: want three lines", err)
	}
	for _, want := range []string{"1.txt:1: byte 0xff", "3.txt:1: a NUL character at offset 1", "4.txt: not text but a zip archive"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q isn't in %v", want, err)
		}
	}
	_, err = Load([]string{filepath.Join(dir, "none"), filepath.Join(dir, "neither")}, Options{})
	if err == nil || strings.Count(err.Error(), "no such file") != 2 {
		t.Error(err)
	}
	_, err = Load([]string{""}, Options{})
	expect.Error(t, err, "the name of a file is empty")
}
