//go:build unix

package userfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/fixture"
)

// A name that leads to no file that ends is an error in one line that says what it is.
func TestOpen(t *testing.T) {
	defer func(p time.Duration) { patience = p }(patience)
	patience = 50 * time.Millisecond
	dir := t.TempDir()
	regular, pipe := filepath.Join(dir, "regular"), filepath.Join(dir, "pipe")
	fixture.Write(t, regular, "text")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	fixture.Link(t, "nothing", link)
	for _, c := range []struct {
		path, text, open, openRegular string // what is read, or of what an error tells
	}{
		{regular, "text", "", ""},
		{dir, "", ": a folder, expected a regular file", ": a folder,"},
		{pipe, "", ": a pipe that nobody has written to for 50ms", ": a pipe, expected a regular file"},
		{link, "", "the link leads to nothing, which isn't there", "the link leads to nothing"},
		{os.DevNull, "", "", ": a device"},
		{"/dev/zero", "", ": a device, expected a regular file", ": a device"},
		{filepath.Join(dir, "missing"), "", "no such file", "no such file"},
	} {
		text, err := Read(c.path)
		check(t, "Read", c.path, err, c.open)
		if err == nil && string(text) != c.text {
			t.Errorf("%s: read %q", c.path, text)
		}
		text, err = ReadRegular(c.path)
		check(t, "ReadRegular", c.path, err, c.openRegular)
		if err == nil && string(text) != c.text {
			t.Errorf("%s: read %q", c.path, text)
		}
	}
}

func check(t *testing.T, what, path string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s %s: %v, want %q", what, path, err, want)
	}
}

// A named pipe with a writer is read to its end, however late the writer comes.
func TestOpenPipe(t *testing.T) {
	pipe := fixture.NewPath(t, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		os.WriteFile(pipe, []byte("from a program"), 0)
	}()
	if text, err := Read(pipe); err != nil || string(text) != "from a program" {
		t.Errorf("%q, %v", text, err)
	}
}

// Of a folder, pipes are refused by name, and files and folders are opened.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "config.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "index.json"), "{}")
	_, err := fs.ReadFile(Folder(dir), "config.json")
	check(t, "ReadFile", "config.json", err, "config.json: a pipe")
	if text, err := fs.ReadFile(Folder(dir), "index.json"); err != nil || string(text) != "{}" {
		t.Errorf("%q, %v", text, err)
	}
	if list, err := fs.ReadDir(Folder(dir), "."); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	_, err = fs.ReadFile(Folder(dir), "missing")
	check(t, "ReadFile", "missing", err, "no such file")
}

// A file that isn't there is named with the folder that it was looked for in.
func TestMissing(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if _, err := Read("gone"); !errors.Is(err, fs.ErrNotExist) || err.Error() != filepath.Join(dir, "gone")+": no such file" {
		t.Error(err)
	}
}
