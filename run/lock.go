package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockFile is held by the process that works in a folder, and has its number. The
// operating system releases it when the process ends, however it ends.
const lockFile = ".lock"

// Lock keeps other processes from training in a run's folder, or in one of several runs,
// until unlock is called or this process ends. If another process holds the folder, the
// error says which.
func Lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, lockFile)
	for {
		lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
		held, err := lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
		}
		if !held {
			return nil, fmt.Errorf("%s is in use by %s: wait until it ends or stop it, or name another folder", dir, holder(path))
		}
		if !current(lock, path) {
			lock.Unlock() // its last holder has just removed it
			continue
		}
		if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
			lock.Unlock()
			return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
		}
		return func() {
			os.Remove(path) // before others can hold it; Windows leaves it
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

// holder names the process that holds a lock.
func holder(path string) string {
	if text, err := os.ReadFile(path); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return fmt.Sprintf("process %d", pid)
		}
	}
	return "another process"
}
