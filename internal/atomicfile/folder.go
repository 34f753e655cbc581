package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// WriteFolder calls write with a temporary folder whose files appear in the folder to
// when write returns nil. A folder that isn't there is made, with those above it, and
// appears with all its files together. In one that is there they appear one after the
// other, and the one called last comes last: a reader that finds it finds the others. A
// file of the same name that is there is an error (fs.ErrExist). On an error nothing is left.
func WriteFolder(to, last string, write func(dir string) error) error {
	info, err := os.Stat(to)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return newFolder(to, write)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file: expected a folder", to)
	}
	dir, err := temporaryFolder(filepath.Join(to, "new"), write)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(files, func(f os.DirEntry) bool { return f.Name() == last }); i >= 0 {
		f := files[i]
		files = append(slices.Delete(files, i, i+1), f)
	}
	for i, f := range files {
		if err := moveNew(filepath.Join(dir, f.Name()), filepath.Join(to, f.Name())); err != nil {
			for _, f := range files[:i] {
				os.Remove(filepath.Join(to, f.Name()))
			}
			return err
		}
	}
	SyncFolder(to)
	return nil
}

// moveNew renames a file to a name that nothing has. Of two processes one gets the name.
func moveNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if _, missing := os.Lstat(to); !errors.Is(missing, os.ErrNotExist) {
		return takenError(to)
	}
	return os.Rename(from, to) // not every file system has links
}

// takenError says that there is something under a name already.
type takenError string

// Error names the file.
func (e takenError) Error() string {
	return string(e) + " is there already: name another folder, or remove it"
}

// Is says that it is an error of that kind.
func (e takenError) Is(kind error) bool { return kind == os.ErrExist }

// newFolder is WriteFolder for a folder that isn't there.
func newFolder(to string, write func(dir string) error) (err error) {
	to = filepath.Clean(to)
	made := missing(filepath.Dir(to))
	if err := MakeFolder(filepath.Dir(to)); err != nil {
		return err
	}
	defer func() {
		for _, folder := range made {
			if err != nil {
				os.Remove(folder)
			}
		}
	}()
	dir, err := temporaryFolder(to, write)
	if err != nil {
		return err
	}
	if err := os.Rename(dir, to); err != nil {
		os.RemoveAll(dir)
		return renamed(err, dir, to)
	}
	SyncFolder(filepath.Dir(to))
	return nil
}

// MakeFolder makes a folder, unless it is there, and those above it, as os.MkdirAll does.
// They survive a power cut.
func MakeFolder(dir string) error {
	made := missing(dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, folder := range made {
		SyncFolder(filepath.Dir(folder))
	}
	return nil
}

// missing are the folders of a path that aren't there, the innermost first.
func missing(dir string) (list []string) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			return list
		}
		list = append(list, dir)
	}
}

// temporaryFolder makes a folder next to path and has it filled. On error it removes
// it; what a killed process left under such a name is removed first.
func temporaryFolder(path string, write func(dir string) error) (dir string, err error) {
	sweepFolders(path)
	var release func()
	dir, err = unused(path, func(name string) (err error) {
		if err := os.Mkdir(name, 0o777); err != nil {
			return err
		}
		release, err = holdFolder(name)
		return err
	})
	if err != nil {
		return "", renamed(err, dir, filepath.Dir(path))
	}
	defer release()
	if err := write(dir); err != nil {
		os.RemoveAll(dir)
		return "", err
	}
	SyncFolder(dir)
	return dir, nil
}

// CheckFolder says whether files can be written to a folder, or to the lowest one above
// it that is there: to be asked before work that takes long.
func CheckFolder(dir string) error {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
	}
	path := filepath.Join(dir, "check")
	name, err := unused(path, func(name string) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return err
		}
		return errors.Join(f.Close(), os.Remove(name))
	})
	return renamed(err, name, dir)
}
