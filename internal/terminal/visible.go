// Package terminal makes text safe to show on a terminal, and fits it to its width.
package terminal

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible replaces the control characters of a text, apart from line end and tab,
// with visible ones: those of ASCII with Unicode's control pictures (ESC becomes ␛),
// others, and the characters that turn the direction of writing, with U+FFFD.
// Printed raw they could move the cursor, change colours, or stop the output.
func Visible(text string) string { return strings.Map(visible, text) }

func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r < ' ':
		return '␀' + r
	case r == 0x7F:
		return '␡'
	case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r):
		return utf8.RuneError
	}
	return r
}

// Writer returns a writer that makes what it is given Visible before it passes it
// on to w. A character may be cut between two calls.
func Writer(w io.Writer) io.Writer { return &writer{w: w} }

// Shown returns the Writer of w if w is a terminal, and else w: what a file or another
// program gets is as it is.
func Shown(w io.Writer) io.Writer {
	if !Is(w) {
		return w
	}
	return Writer(w)
}

// Raw returns what a Writer passes its text on to, for what is to be taken as a control
// sequence: a colour, or a bar that is drawn over itself. Another w is returned as it is.
func Raw(w io.Writer) io.Writer {
	for {
		v, ok := w.(*writer)
		if !ok {
			return w
		}
		w = v.w
	}
}

type writer struct {
	w    io.Writer
	rest []byte // the beginning of a character
}

// Unwrap is the writer below.
func (v *writer) Unwrap() io.Writer { return v.w }

func (v *writer) Write(p []byte) (int, error) {
	text := append(v.rest, p...)
	end := len(text)
	for i := max(0, end-utf8.UTFMax+1); i < end; i++ {
		if utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			end = i
		}
	}
	_, err := io.WriteString(v.w, Visible(string(text[:end])))
	v.rest = append([]byte(nil), text[end:]...)
	return len(p), err
}
