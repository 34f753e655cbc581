package tokenizer

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// NewSymbols returns a tokenizer of one token per character of symbols, with the ids
// 0, 1, … in their order and no end of text: for a model of symbols, not of text,
// like one that sorts digits. A character that occurs twice is an error.
func NewSymbols(symbols string) (Tokenizer, error) {
	if err := checkUTF8(symbols); err != nil {
		return nil, err
	}
	t := table{endOfText: -1}
	seen := make(map[rune]bool)
	for _, r := range symbols {
		if seen[r] {
			return nil, fmt.Errorf("symbol %q occurs twice", r)
		}
		seen[r] = true
		t.tokens = append(t.tokens, utf8.AppendRune(nil, r))
	}
	if len(t.tokens) == 0 {
		return nil, errors.New("no symbols")
	}
	return newCharOf(t), nil
}
