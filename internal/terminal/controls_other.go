//go:build !windows

package terminal

import "os"

// enableControls says that a terminal follows control sequences: outside Windows all do.
func enableControls(*os.File) bool { return true }
