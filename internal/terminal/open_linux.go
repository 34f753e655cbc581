package terminal

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Open makes a terminal of that many columns for a program to be tried at, and returns the
// end that the program has and the end that a user has.
func Open(columns int) (tty, user *os.File, err error) {
	if user, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			user.Close()
		}
	}()
	if err = unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	if err = Resize(tty, columns); err != nil {
		tty.Close()
		return nil, nil, err
	}
	return tty, user, nil
}

// Resize gives a terminal another width.
func Resize(tty *os.File, columns int) error {
	return unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)})
}
