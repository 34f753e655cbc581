package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, text := range []string{"one", "", "three"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		expectText(t, path, text)
	}
	expect.Folder(t, dir, "x")
}

// TestPermissions: a new file has what os.Create gives, an old one keeps its own.
func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	plain, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := mode(t, path), mode(t, plain.Name()); got != want {
		t.Errorf("a new file has %v, os.Create gives %v", got, want)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	want := mode(t, path)
	if err := WriteFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, path); got != want {
		t.Errorf("a file of %v was replaced by one of %v", want, got)
	}
}

// TestFailureKeepsOld: when the writer fails, the old file stays and no other is left.
func TestFailureKeepsOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(path, func(f *os.File) error {
		f.WriteString("new")
		return full
	})
	if !errors.Is(err, full) {
		t.Error(err)
	}
	expectText(t, path, "old")
	expect.Folder(t, dir, "x")
}

// TestErrorsNameTheFile: not the temporary one.
func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "no", "x")
	err := WriteFile(missing, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing+":") {
		t.Errorf("%v doesn't name %s", err, missing)
	}
	if err := WriteFile(dir, nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("writing to a folder: %v", err)
	}
	expect.Folder(t, dir)
}

func TestLinkStays(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := WriteFile(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	fixture.Link(t, "file", link)
	if err := WriteFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	expectText(t, file, "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
}

func TestDevice(t *testing.T) {
	if err := WriteFile(os.DevNull, []byte("text")); err != nil {
		t.Error(err)
	}
}

// TestWritersTogether: each of many writers of one name succeeds, and a reader sees
// what one of them wrote.
func TestWritersTogether(t *testing.T) {
	path := fixture.NewPath(t, "x")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if err := WriteFile(path, bytes.Repeat([]byte{'a' + byte(i)}, 1000)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 1000 || bytes.Count(b, b[:1]) != 1000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	expect.Folder(t, filepath.Dir(path), "x")
}

func TestWriteFolder(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "a", "b", "model")
	two := func(text string) func(string) error {
		return func(dir string) error {
			return errors.Join(WriteFile(filepath.Join(dir, "config"), []byte(text)), WriteFile(filepath.Join(dir, "weights"), []byte(text)))
		}
	}
	failure := errors.New("failure")
	fails := func(dir string) error { return errors.Join(two("half")(dir), failure) }

	if err := WriteFolder(to, "config", fails); !errors.Is(err, failure) {
		t.Error(err)
	}
	expect.Folder(t, dir)
	if err := WriteFolder(to, "config", two("old")); err != nil {
		t.Fatal(err)
	}
	expect.Folder(t, to, "config", "weights")
	expect.Folder(t, filepath.Dir(to), "model")

	// A folder that is there keeps what else is in it.
	if err := WriteFile(filepath.Join(to, "notes"), nil); err != nil {
		t.Fatal(err)
	}
	if err := WriteFolder(to, "config", fails); !errors.Is(err, failure) {
		t.Error(err)
	}
	expectText(t, filepath.Join(to, "weights"), "old")
	if err := os.Remove(filepath.Join(to, "config")); err != nil {
		t.Fatal(err)
	}
	err := WriteFolder(to, "config", two("new"))
	expect.OneLine(t, err, "weights is there already")
	expectText(t, filepath.Join(to, "weights"), "old")
	expect.Folder(t, to, "notes", "weights")
	if err := os.Remove(filepath.Join(to, "weights")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFolder(to, "config", two("new")); err != nil {
		t.Fatal(err)
	}
	expectText(t, filepath.Join(to, "config"), "new")
	expect.Folder(t, to, "config", "notes", "weights")

	if err := WriteFolder(filepath.Join(to, "notes"), "", two("x")); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file as the folder: %v", err)
	}
}

// TestFolderOfKilledWriter: what a killed process left next to a folder goes when the folder
// is written again, and what another one is just writing stays.
func TestFolderOfKilledWriter(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "model")
	for _, left := range []string{"model.tmp-0123abcd", "model.tmp-old", "other.tmp-0123abcd"} {
		if err := os.MkdirAll(filepath.Join(dir, left, "weights"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	err := WriteFolder(to, "", func(string) error {
		return WriteFolder(to, "", func(string) error { // another process, meanwhile
			entries, err := os.ReadDir(dir)
			if err == nil && len(entries) != 4 {
				t.Errorf("%v: expected both that are being written, and none that was left", entries)
			}
			return err
		})
	})
	if err == nil {
		t.Error("two writers have both made a new folder")
	}
	expect.Folder(t, dir, "model", "model.tmp-old", "other.tmp-0123abcd")
}

// TestMakeFolder: those above it are made too, and one that is there is no error.
func TestMakeFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := MakeFolder(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(filepath.Join(dir, "x"), nil); err != nil {
		t.Error(err)
	}
	if err := MakeFolder(filepath.Join(dir, "x", "c")); err == nil {
		t.Error("a folder was made in a file")
	}
}

// TestFolderLast: the file that marks a complete folder comes after the others.
func TestFolderLast(t *testing.T) {
	to := t.TempDir()
	// A folder in the way of the last but one file stops the move.
	if err := os.MkdirAll(filepath.Join(to, "weights", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	err := WriteFolder(to, "config", func(dir string) error {
		return errors.Join(WriteFile(filepath.Join(dir, "config"), nil), WriteFile(filepath.Join(dir, "weights"), nil))
	})
	if err == nil {
		t.Fatal("no error")
	}
	expect.Folder(t, to, "weights")

	// Of two that write to a folder at the same time, one writes all of it.
	to = t.TempDir()
	var group sync.WaitGroup
	var written atomic.Int32
	for i := range 8 {
		group.Go(func() {
			text := []byte{byte('0' + i)}
			if WriteFolder(to, "config", func(dir string) error {
				return errors.Join(WriteFile(filepath.Join(dir, "config"), text), WriteFile(filepath.Join(dir, "weights"), text))
			}) == nil {
				written.Add(1)
			}
		})
	}
	group.Wait()
	expect.Folder(t, to, "config", "weights")
	if a, b := expect.File(t, to, "config"), expect.File(t, to, "weights"); written.Load() != 1 || string(a) != string(b) {
		t.Errorf("%d have written it; %q and %q", written.Load(), a, b)
	}
}

func TestLines(t *testing.T) {
	path := fixture.NewPath(t, "log.jsonl")
	for i, c := range []struct{ before, want string }{
		{"", "7\n"},
		{"1\n", "1\n7\n"},
		{"1\n{\"cut", "1\n7\n"},
		{"{\"cut", "7\n"},
		{"1\n{\"whole\": 2}", "1\n{\"whole\": 2}\n7\n"},
		{"{\"whole\": 2}", "{\"whole\": 2}\n7\n"},
		{"{\"whole\": 2}\r", "{\"whole\": 2}\r\n7\n"},
		{"1\n" + strings.Repeat("x", 200_000), "1\n7\n"},
		{strings.Repeat("x", 200_000) + "\n", strings.Repeat("x", 200_000) + "\n7\n"},
	} {
		fixture.Write(t, path, c.before)
		l, err := OpenLines(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Add(7), l.Sync(), l.Close()); err != nil {
			t.Error(err)
		}
		if got, _ := os.ReadFile(path); string(got) != c.want {
			t.Errorf("case %d: %d bytes: %.20q", i, len(got), got)
		}
	}
}

// TestAddLine: lines of several writers are all there. Each is longer than what a file system
// writes in one step, so that another one could find half of it.
func TestAddLine(t *testing.T) {
	path := fixture.NewPath(t, "log.jsonl")
	const writers, each = 8, 20
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := AddLine(path, fmt.Sprintf("%d %d %s", w, i, strings.Repeat("x", 300_000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if all, err := ReadLines[string](path); err != nil || len(all) != writers*each {
		t.Errorf("%d lines of %d, %v", len(all), writers*each, err)
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func expectText(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}

// A file that is opened again has its lines, but for one that was cut off and those that
// aren't kept. A line before the last one is refused if it isn't what was written.
func TestReopen(t *testing.T) {
	path := fixture.File(t, "log.jsonl", "1\n2\n3\n4") // only the end of the last line is missing
	all, lines, err := Reopen(path, func(n int) bool { return n != 2 })
	if err != nil || !slices.Equal(all, []int{1, 3, 4}) {
		t.Fatalf("%v, %v", all, err)
	}
	if err := errors.Join(lines.Add(5), lines.Close()); err != nil {
		t.Error(err)
	}
	if got := expect.File(t, path); string(got) != "1\n3\n4\n5\n" {
		t.Errorf("%q", got)
	}
	if again, err := ReadLines[int](path); err != nil || !slices.Equal(again, []int{1, 3, 4, 5}) {
		t.Errorf("%v, %v", again, err)
	}
	fixture.Write(t, path, "1\n{\n3\n")
	_, _, err = Reopen[int](path, nil)
	expect.OneLine(t, err, path+":2: not a line that this program wrote")
	fixture.Write(t, path, "1\n2\n{")
	if all, lines, err = Reopen[int](path, nil); err != nil || !slices.Equal(all, []int{1, 2}) {
		t.Fatalf("%v, %v", all, err)
	}
	lines.Close()
	if got := expect.File(t, path); string(got) != "1\n2\n" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("x", 1<<17)
	fixture.Write(t, path, strconv.Quote(long)+"\n")
	if all, err := ReadLines[string](path); err != nil || !slices.Equal(all, []string{long}) {
		t.Errorf("a line of %d bytes: %v", len(long), err)
	}
}

// TestCheckFolder: what stops a file from being written is found beforehand, and nothing
// is left.
func TestCheckFolder(t *testing.T) {
	dir := t.TempDir()
	for _, fine := range []string{dir, filepath.Join(dir, "a", "b")} {
		if err := CheckFolder(fine); err != nil {
			t.Error(err)
		}
	}
	expect.Folder(t, dir)
	file := filepath.Join(dir, "file")
	if err := WriteFile(file, nil); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{file, filepath.Join(file, "a")} {
		if err := CheckFolder(wrong); err == nil {
			t.Errorf("%s is fine", wrong)
		}
	}
}

// TestUnnamed: while a file is being written, nothing is seen of it, so a process that is
// killed leaves nothing.
func TestUnnamed(t *testing.T) {
	dir := t.TempDir()
	if f, _, err := create(filepath.Join(dir, "probe")); err != nil {
		t.Fatal(err)
	} else if f.Close(); os.Remove(filepath.Join(dir, "probe")) == nil {
		t.Skip("this file system has no files without a name")
	}
	path := filepath.Join(dir, "x")
	err := Write(path, func(f *os.File) error {
		_, err := f.WriteString("half")
		expect.Folder(t, dir)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	expectText(t, path, "half")
	expect.Folder(t, dir, "x")
}
