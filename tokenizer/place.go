package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkUTF8 returns an error that points at the first byte of text that is not
// UTF-8.
func checkUTF8(text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	i := 0
	for {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Errorf("%s is 0x%02X, which is not UTF-8 there: convert the text to UTF-8, or train with --tokenizer byte, which takes any bytes", place(text, i), text[i])
		}
		i += n
	}
}

// place describes byte offset i of text for people: line and column count from
// 1, the column in characters; the offsets count from 0.
func place(text string, i int) string {
	before := text[:i]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d of the text (character %d, byte %d)", line, column, utf8.RuneCountInString(before), i)
}
