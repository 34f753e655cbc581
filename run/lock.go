package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockFile is held by the process that trains in a run's folder, and has its number.
// The operating system frees it when the process ends, however it ends.
const lockFile = ".lock"

// Lock keeps other processes from training in a run's folder until unlock is called or
// this process ends. A folder that another one holds is an error that says which.
func Lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, lockFile)
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
	}
	if !held {
		holder := "another process"
		if text, err := os.ReadFile(path); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				holder = fmt.Sprintf("process %d", pid)
			}
		}
		return nil, fmt.Errorf("%s is in use by %s: wait until it ends or stop it, or name another folder with --run", dir, holder)
	}
	if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
		lock.Unlock()
		return nil, fmt.Errorf("%s: can't be locked: %w", dir, err)
	}
	return func() { lock.Unlock() }, nil
}
