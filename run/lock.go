package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// lockFile is held by the process that works in a folder, and has its number and the
// computer's name. The operating system releases it when the process ends, however it ends.
const lockFile = ".lock"

// Lock keeps other processes from working in the folder of a run or of several, until unlock
// is called or this process ends. If another process holds the folder, the error says which.
// What a killed process left unfinished in the folder is removed. Files that are links out of
// the folder are an error, since they would be written to.
func Lock(dir string) (unlock func(), err error) {
	return hold(dir)
}

// hold is Lock of a folder in which only files of these names are written; none: any.
func hold(dir string, written ...string) (unlock func(), err error) {
	if err := userfile.CheckWritten(dir, written...); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockFile)
	for tries := 0; ; {
		lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
		held, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
		}
		if !held && tries < 20 { // by a list of runs that has a look, perhaps
			tries++
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if !held {
			return nil, fmt.Errorf("%s is in use by %s: wait until it ends or stop it, or name another folder", dir, holder(path))
		}
		if !current(lock, path) {
			lock.Unlock() // its last holder has just removed it
			continue
		}
		host, _ := os.Hostname()
		if err := errors.Join(os.WriteFile(path, fmt.Appendln(nil, os.Getpid(), host), 0o644), atomicfile.Sweep(dir)); err != nil {
			os.Remove(path)
			lock.Unlock()
			return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
		}
		return func() {
			os.Remove(path) // before others can hold it; Windows leaves it
			atomicfile.SyncFolder(dir)
			lock.Unlock()
		}, nil
	}
}

// current says whether the file that is locked is still the one at path.
func current(lock *flock.Flock, path string) bool {
	locked, err := lock.Stat()
	there, failed := os.Stat(path)
	return err == nil && failed == nil && os.SameFile(locked, there)
}

// holder names the process that holds a lock. One that has just got it may not have
// written its number yet.
func holder(path string) string {
	text, err := os.ReadFile(path)
	for tries := 0; len(text) == 0 && tries < 20; tries++ {
		time.Sleep(10 * time.Millisecond)
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "another process"
	}
	number, host, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return "another process"
	}
	if own, _ := os.Hostname(); host == "" || host == own {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d on %q", pid, host)
}

// unlockAfter unlocks the folder of a run that couldn't be begun because of an error.
func unlockAfter(err *error, unlock func()) {
	if *err != nil {
		unlock()
	}
}
