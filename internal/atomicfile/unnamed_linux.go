package atomicfile

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// create opens a new file that has no name before link gives it one: whatever ends this
// process until then leaves nothing in the folder. Where the file system can't do that, the
// file has its name from the beginning, and link is nil.
func create(name string) (f *os.File, link func(to string) error, err error) {
	fd, err := unix.Open(filepath.Dir(name), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return createNamed(name)
	}
	f = os.NewFile(uintptr(fd), name)
	return f, func(to string) error {
		err := unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), unix.AT_FDCWD, to, unix.AT_SYMLINK_FOLLOW)
		if err != nil {
			return &os.PathError{Op: "link", Path: to, Err: err}
		}
		return nil
	}, nil
}
