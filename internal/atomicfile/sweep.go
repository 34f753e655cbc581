package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
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
