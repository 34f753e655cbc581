package tokenizer

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// pattern is GPT-2's: it cuts text into pieces (words with the space before
// them, numbers, punctuation, white space) across which no merge may reach.
const pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// class is what the pattern distinguishes characters by. Each character has exactly
// one, so the pieces cover the text without a gap.
//
// Classes are Go's, of Unicode 15.0. In 16.0, which tokenizers 0.23.3 has, there are
// 5,004 more letters and numbers (rare scripts, hieroglyphs, Chinese extension I),
// which are other here: next to letters or numbers, they begin a piece of their own.
type class uint8

const (
	other  class = iota // [^\s\p{L}\p{N}]
	letter              // \p{L}
	number              // \p{N}
	space               // \s
)

var asciiClass = func() (c [utf8.RuneSelf]class) {
	for r := range c {
		c[r] = slowClass(rune(r))
	}
	return c
}()

func slowClass(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// classAt returns the class and the width of the character that starts at s[i].
func classAt(s string, i int) (class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return asciiClass[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return slowClass(r), n
}

// runEnd returns the end of the run of characters of class c that starts at i,
// and the start of its last character.
func runEnd(s string, i int, c class) (end, last int) {
	last = i
	for i < len(s) {
		k, n := classAt(s, i)
		if k != c {
			break
		}
		last, i = i, i+n
	}
	return i, last
}

// nextPiece returns the length of the first piece of s, which is not empty: the
// first match of pattern. The pattern's lookahead is why this is written by
// hand: Go's regexp has none, and a backtracking engine is an order of magnitude
// slower.
func nextPiece(s string) int {
	if s[0] == '\'' {
		if n := contraction(s); n > 0 {
			return n
		}
	}
	c, n := classAt(s, 0)
	start := 0
	if s[0] == ' ' && len(s) > 1 {
		if k, _ := classAt(s, 1); k != space { // " ?" takes the space
			c, start = k, 1
		}
	}
	end, last := runEnd(s, start, c)
	// \s+(?!\S): a run of white space leaves its last character to the word
	// that follows, unless it has only this one, which \s+ then takes.
	if c == space && end < len(s) && end > n {
		return last
	}
	return end
}

// contraction returns the length of 's, 't, 'm, 'd, 're, 've or 'll at the start
// of s, and 0 where there is none.
func contraction(s string) int {
	if len(s) >= 2 {
		switch s[1] {
		case 's', 't', 'm', 'd':
			return 2
		}
	}
	if len(s) >= 3 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// cut yields s in parts of at least size bytes (but for the last) that can be
// encoded each on its own: it cuts only where cuttable. A text without such a
// place stays whole.
func cut(s string, size int, cuttable func(s string, i int) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(s) > size {
			i := size
			for i < len(s) && !cuttable(s, i) {
				i++
			}
			if !yield(s[:i]) {
				return
			}
			s = s[i:]
		}
		if len(s) > 0 {
			yield(s)
		}
	}
}

// cuttable reports whether ASCII white space starts at s[i] and something else
// ends there. Then the pieces of s[:i] and s[i:] are the pieces of s: no
// alternative of the pattern goes on from such a character to white space, so a
// piece always ends there; and what comes before is split as before, since the
// one lookahead of the pattern asks only about the character after a run of white
// space, which here lies before i as well.
func cuttable(s string, i int) bool {
	if s[i] >= utf8.RuneSelf || asciiClass[s[i]] != space {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return slowClass(r) != space
}
