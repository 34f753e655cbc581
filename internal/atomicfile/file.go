// Package atomicfile is the project's one way to write a file. A file appears under
// its name when it is complete and on the disk: it is written under another name in
// the same folder (on Linux under none), synced, and renamed. When anything fails, the
// file that was there before is untouched and nothing else is left.
//
// A file that grows line by line (a log) is the exception: see Lines.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WriteFile writes a file, as os.WriteFile does.
func WriteFile(path string, content []byte) error {
	return Write(path, func(f *os.File) error {
		_, err := f.Write(content)
		return err
	})
}

// Write calls write with a temporary file that becomes the file at path when write
// returns nil. A file that was there is replaced and keeps its permissions; a new one
// has those that os.Create gives. A symbolic link stays one: what it points at is
// replaced. What isn't a regular file (a terminal, a pipe, /dev/null) is written to as
// it is.
func Write(path string, write func(f *os.File) error) error {
	var mode fs.FileMode // 0: a new file
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: expected a file", path)
	case !info.Mode().IsRegular():
		return writeDirectly(path, write)
	default:
		mode = info.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	placed := false // under its own name, in one step
	temporary, err := unused(path, func(name string) error {
		f, link, err := create(name)
		if err != nil {
			return err
		}
		return fill(f, mode, write, func() error {
			if link == nil {
				return nil
			}
			if mode == 0 {
				if err := link(path); !errors.Is(err, fs.ErrExist) {
					placed = err == nil
					return err
				}
			}
			return link(name)
		})
	})
	if err != nil {
		return renamed(err, temporary, path)
	}
	if !placed {
		if err := os.Rename(temporary, path); err != nil {
			os.Remove(temporary)
			return renamed(err, temporary, path)
		}
	}
	SyncFolder(filepath.Dir(path))
	return nil
}

// createNamed opens a new file under a name that isn't taken.
func createNamed(name string) (f *os.File, link func(to string) error, err error) {
	f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	return f, nil, err
}

// fill writes, syncs, names and closes a temporary file. On error it removes the file.
func fill(f *os.File, mode fs.FileMode, write func(f *os.File) error, named func() error) error {
	err := write(f)
	if err == nil && mode != 0 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = named()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// writeDirectly writes to a device or a pipe.
func writeDirectly(path string, write func(f *os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// unused calls make with names in the same folder until one isn't taken, and returns
// the last.
func unused(path string, make func(name string) error) (name string, err error) {
	for range 100 {
		name = fmt.Sprintf("%s.tmp-%08x", path, rand.Uint32())
		if err = make(name); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return name, err
}

// renamed is an error about a temporary file, told of the file it was for.
func renamed(err error, temporary, path string) error {
	var one *fs.PathError
	if errors.As(err, &one) && one.Path == temporary {
		return &fs.PathError{Op: "write", Path: path, Err: one.Err}
	}
	var two *os.LinkError
	if errors.As(err, &two) && two.Old == temporary {
		return &fs.PathError{Op: "write", Path: path, Err: two.Err}
	}
	return err
}

// SyncFolder makes a rename, a new or a removed name in a folder survive a power cut. Not
// every system can sync a folder, and the file itself is complete either way, so errors don't
// count.
func SyncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		folder.Sync()
		folder.Close()
	}
}
