package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// MakeStudyFolder makes the folder of a study, which holds results and runs of its own, unless
// it is there. A run's folder is refused: the files of both would be mixed.
func MakeStudyFolder(dir string) error {
	if holdsRun(dir) {
		return fmt.Errorf("%s is the folder of a run: name another one for a study", dir)
	}
	return atomicfile.MakeFolder(dir)
}

// KeepSettings writes the settings of a study into a new file of its folder, and returns true.
// If the file is there they must be the same: results of other settings don't belong together.
// what says what the folder holds otherwise, as "a ladder with other settings".
func KeepSettings(dir, file, what string, settings []byte) (begun bool, err error) {
	path := filepath.Join(dir, file)
	before, err := userfile.ReadRegularUpTo(path, int64(len(settings)))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return true, atomicfile.WriteFile(path, settings)
	case err != nil:
		return false, err
	case string(before) != string(settings):
		return false, fmt.Errorf("%s holds %s (see %s in it): name another folder with --to, or remove this one", dir, what, file)
	}
	return false, nil
}
