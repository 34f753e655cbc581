package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableControls has a console follow control sequences, which older ones do only if asked.
func enableControls(f *os.File) bool {
	console, mode := windows.Handle(f.Fd()), uint32(0)
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
