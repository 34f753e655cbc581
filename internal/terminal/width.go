package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Width is the number of columns of the terminal that w is, 0 if it is none: what wraps a
// terminal counts as none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Fit cuts text to that many columns of one character each, the last one of a text that is
// cut being …; columns of 0 or less are no limit.
func Fit(text string, columns int) string {
	if r := []rune(text); columns > 0 && len(r) > columns {
		return string(r[:columns-1]) + "…"
	}
	return text
}
