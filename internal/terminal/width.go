package terminal

import (
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// Screen is a writer that says how many columns it has. Bars take it for a terminal; so a
// program that emulates one can be written to.
type Screen interface {
	io.Writer
	Columns() int
}

// Is says whether a stream is a terminal: the file of one, a Screen, or a writer that gives
// either away by a method Unwrap.
func Is(stream any) bool {
	switch s := unwrap(stream).(type) {
	case Screen:
		return true
	case *os.File:
		return term.IsTerminal(int(s.Fd()))
	}
	return false
}

// Colored says whether text on w may have colours: w is a terminal that has them, and the
// user hasn't set NO_COLOR (see no-color.org).
func Colored(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && controls(w) }

// controls says whether w is a terminal that follows control sequences (ECMA-48), for
// colours and to erase what was written.
func controls(w io.Writer) bool {
	if !Is(w) || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := unwrap(w).(*os.File)
	return !ok || enableControls(f)
}

func unwrap(stream any) any {
	for {
		u, ok := stream.(interface{ Unwrap() io.Writer })
		if !ok {
			return stream
		}
		stream = u.Unwrap()
	}
}

// Width is the number of columns of the terminal that w is, 0 if it is none.
func Width(w io.Writer) int {
	if !Is(w) {
		return 0
	}
	return columnsOf(w)
}

// columnsOf is the width of a terminal at this moment; one that doesn't say has 80 columns.
func columnsOf(w io.Writer) int {
	columns := 0
	switch s := unwrap(w).(type) {
	case Screen:
		columns = s.Columns()
	case *os.File:
		columns, _, _ = term.GetSize(int(s.Fd()))
	}
	if columns <= 0 {
		return 80
	}
	return columns
}

// Columns is the number of columns that a text takes on a terminal.
func Columns(text string) int { return uniseg.StringWidth(text) }

// Fit cuts text to that many columns, the last character of a text that is cut being …;
// columns of 0 or less are no limit. Letters may have marks above one another without end, which
// take no columns: of such a text no more is kept either than bytesOfColumn for each column.
func Fit(text string, columns int) string {
	const bytesOfColumn = 40 // a family of four people has 25 in two columns
	if columns <= 0 || len(text) <= bytesOfColumn*columns && Columns(text) <= columns {
		return text
	}
	var kept strings.Builder
	width := 0
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if width += g.Width(); width > columns-1 || kept.Len()+len(g.Str()) > bytesOfColumn*columns {
			break
		}
		kept.WriteString(g.Str())
	}
	return kept.String() + "…"
}
