package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gofrs/flock"
)

// temporaryName is how the names end that unused gives.
var temporaryName = regexp.MustCompile(`\.tmp-[0-9a-f]{8}$`)

// Sweep removes from a folder what writers left that were killed: files and folders
// under temporary names. It is for the one process that writes to the folder; another's
// unfinished files would go too.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if temporaryName.MatchString(e.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// sweepFolders removes the temporary folders of path whose writers no longer run.
func sweepFolders(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), filepath.Base(path))
		if !ours || !e.IsDir() || temporaryName.FindString(rest) != rest {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		if lock := flock.New(name, flock.SetFlag(os.O_RDONLY)); held(lock) {
			os.RemoveAll(name)
			lock.Unlock()
		}
	}
}

// holdFolder keeps other processes from removing a new temporary folder until release is
// called or this process ends. fs.ErrExist says that one has just done so: another name is
// needed. Where folders can't be locked nobody removes them either.
func holdFolder(name string) (release func(), err error) {
	lock := flock.New(name, flock.SetFlag(os.O_RDONLY))
	if locked, err := lock.TryLock(); err != nil {
		return func() {}, nil
	} else if !locked {
		return nil, fs.ErrExist
	}
	if _, err := os.Stat(name); err != nil {
		lock.Unlock()
		return nil, fs.ErrExist
	}
	return func() { lock.Unlock() }, nil
}

// held says whether lock is held now.
func held(lock *flock.Flock) bool {
	locked, err := lock.TryLock()
	return err == nil && locked
}
