// Package userfile opens files that users name. A name may lead to a folder, to a pipe that
// nobody writes to, or to a device that never ends: each is an error in place of an endless
// wait.
package userfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"tinygpt/internal/capacity"
)

// ErrNoWriter is the kind of error about a named pipe without a writer.
var ErrNoWriter = errors.New("a pipe that nobody has written to")

// patience is how long Open waits for a program that writes to a named pipe.
var patience = 10 * time.Second

// Open opens a file to read: a regular file, or a pipe, a terminal or the empty device,
// which can be read once. Of a named pipe it waits a moment for its writer.
func Open(path string) (*os.File, error) {
	info, err := stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		return openPipe(path)
	}
	if mode := info.Mode(); !mode.IsRegular() && mode&fs.ModeCharDevice == 0 {
		return nil, refuse(path, mode)
	}
	f, err := os.Open(path)
	if err == nil && info.Mode()&fs.ModeCharDevice != 0 && !term.IsTerminal(int(f.Fd())) && !isEmptyDevice(info) {
		f.Close()
		return nil, refuse(path, info.Mode())
	}
	return f, err
}

// OpenRegular opens a regular file to read: for what is read at several places, or is
// expected to stay.
func OpenRegular(path string) (*os.File, error) {
	info, err := stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, refuse(path, info.Mode())
	}
	return os.Open(path)
}

// stat describes the file that a name leads to.
func stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if target, link := os.Readlink(path); link == nil {
			return nil, fmt.Errorf("%s: the link leads to %s, which isn't there: %w", path, target, fs.ErrNotExist)
		}
		if absolute, unknown := filepath.Abs(path); unknown == nil {
			path = absolute
		}
		return nil, missing(path)
	}
	return info, err
}

// missing is the path of a file that isn't there, as an error.
type missing string

func (m missing) Error() string { return string(m) + ": no such file" }

// Is says that it is an error of that kind.
func (missing) Is(kind error) bool { return kind == fs.ErrNotExist }

// Read returns all that the file that Open opens holds.
func Read(path string) ([]byte, error) { return read(path, Open, math.MaxInt64) }

// ReadRegular returns all that a regular file holds.
func ReadRegular(path string) ([]byte, error) { return read(path, OpenRegular, math.MaxInt64) }

// ReadUpTo is Read for what is small: of a file with more than most bytes it returns most+1.
func ReadUpTo(path string, most int64) ([]byte, error) { return read(path, Open, most+1) }

// ReadRegularUpTo is ReadRegular for what is small, as ReadUpTo is.
func ReadRegularUpTo(path string, most int64) ([]byte, error) {
	return read(path, OpenRegular, most+1)
}

// read returns up to most bytes of a file, if this computer has the memory for them.
func read(path string, open func(string) (*os.File, error), most int64) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := capacity.Check("reading "+path, 2*float64(min(most, info.Size())), 1, "name a smaller file"); err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(f, most))
	}
	return ReadAll(io.LimitReader(f, most))
}

// refuse says what a name leads to that no file is read from.
func refuse(path string, mode fs.FileMode) error {
	what := "not a file"
	switch {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%s: %s, expected a regular file", path, what)
}

// isEmptyDevice says whether a device is the one that is empty, /dev/null.
func isEmptyDevice(info fs.FileInfo) bool {
	empty, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(empty, info)
}

// openPipe opens a named pipe, which succeeds once another program has opened it to write.
func openPipe(path string) (*os.File, error) {
	type opened struct {
		*os.File
		error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.File, o.error
	case <-time.After(patience):
	}
	// Opening the other end lets the waiting goroutine go on, and end.
	if end, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		if o := <-done; o.error == nil {
			o.Close()
		}
		end.Close()
	}
	return nil, fmt.Errorf("%s: %w for %s: start the program that writes to it, or name a file", path, ErrNoWriter, patience)
}

// Folder returns the files of a folder that a user names. Of what is in it, only folders and
// regular files are opened.
func Folder(dir string) fs.FS { return folder{os.DirFS(dir)} }

type folder struct{ fs.FS }

// Open opens a file of the folder.
func (f folder) Open(name string) (fs.File, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() && !mode.IsDir() {
		return nil, refuse(name, mode)
	}
	return f.FS.Open(name)
}
