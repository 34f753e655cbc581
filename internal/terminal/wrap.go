package terminal

import (
	"io"
	"unicode/utf8"
)

// Wrap returns a writer that passes text on to a terminal and begins a new line where
// the next word has no room, instead of within the word. A word is held back until a
// space or a line end comes. If w is no terminal, text is passed on as it is.
func Wrap(w io.Writer) io.Writer {
	if !Is(w) {
		return w
	}
	return &wrapper{w: w, columns: func() int { return columnsOf(w) }}
}

// wrapper is what Wrap returns.
type wrapper struct {
	w       io.Writer
	columns func() int // of the terminal
	at      int        // columns of the line that are written
	spaces  int        // before the word
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
			b.at, b.spaces = 0, 0
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
	if b.at > 0 && b.at+b.spaces+width > columns {
		b.out = append(b.out, '\n')
		b.at, b.spaces = 0, 0
	}
	for range b.spaces {
		b.out = append(b.out, ' ')
	}
	b.out = append(b.out, b.word...)
	b.at += b.spaces + width
	if b.at > columns {
		b.at %= columns // a word longer than a line
	}
	b.spaces, b.word = 0, b.word[:0]
}
