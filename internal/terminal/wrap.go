package terminal

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Wrap returns a writer that passes text on to a terminal and begins a new line where
// the next word has no room, instead of within the word: indented as the line that it
// goes on with. A word is held back until a space or a line end comes. If w is no
// terminal, text is passed on as it is. A line with a gap of several spaces, like
// "steps:   250", goes on below what followed the gap.
func Wrap(w io.Writer) io.Writer {
	if !Is(w) {
		return w
	}
	return &wrapper{w: w, columns: func() int { return columnsOf(w) }}
}

// Prose is Wrap of text that is made Visible.
func Prose(w io.Writer) io.Writer {
	if !Is(w) {
		return w
	}
	return Writer(Wrap(w))
}

// Wrapped is a text of whole lines as Wrap writes it on a terminal of that many columns, of
// 1 at least.
func Wrapped(text string, columns int) string {
	var out strings.Builder
	w := &wrapper{w: &out, columns: func() int { return max(columns, 1) }}
	io.WriteString(w, text+"\n") // which doesn't fail
	return strings.TrimSuffix(out.String(), "\n")
}

// wrapper is what Wrap returns.
type wrapper struct {
	w       io.Writer
	columns func() int // of the terminal
	at      int        // columns of the line that are written
	indent  int        // spaces that the line begins with
	spaces  int        // before the word
	hangs   bool       // indent is that of what followed the first gap of several spaces
	word    []byte     // not written yet
	out     []byte
}

func (b *wrapper) Write(p []byte) (int, error) {
	b.out = b.out[:0]
	columns := b.columns()
	for rest := p; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		c := rest[:n]
		rest = rest[n:]
		switch {
		case r == '\n':
			b.flush(columns)
			b.out = append(b.out, '\n')
			b.at, b.spaces, b.indent, b.hangs = 0, 0, 0, false
		case r == ' ':
			b.flush(columns)
			b.spaces++
		case Columns(string(c)) == 2: // Chinese and its like break anywhere
			b.flush(columns)
			b.word = append(b.word, c...)
			b.flush(columns)
		default:
			b.word = append(b.word, c...)
		}
	}
	if _, err := b.w.Write(b.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes the word, on a new line if it has no room on this one.
func (b *wrapper) flush(columns int) {
	if len(b.word) == 0 {
		return
	}
	width := Columns(string(b.word))
	switch {
	case b.at == 0:
		b.indent = min(b.spaces, columns/2)
	case b.at+b.spaces+width > columns:
		b.out = append(b.out, '\n')
		b.at, b.spaces = 0, b.indent
	}
	for range b.spaces {
		b.out = append(b.out, ' ')
	}
	if b.at > 0 && b.spaces > 1 && !b.hangs && b.at+b.spaces < columns/2 {
		b.indent, b.hangs = b.at+b.spaces, true
	}
	b.out = append(b.out, b.word...)
	b.at += b.spaces + width
	if b.at > columns {
		b.at %= columns // a word longer than a line
	}
	b.spaces, b.word = 0, b.word[:0]
}
