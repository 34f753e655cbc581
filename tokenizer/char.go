package tokenizer

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// char has one token per character (Unicode code point) of the text that it was
// made from.
type char struct {
	table
	ids map[rune]int32
}

// NewChar returns the tokenizer of the characters in corpus, in the order of
// their code points, with the end of text last. The characters' ids are those of
// nanoGPT's character-level example on the same text; nanoGPT has no end of text.
// A corpus that is empty or not UTF-8 is an error.
func NewChar(corpus iter.Seq[string]) (Tokenizer, error) {
	seen := make(map[rune]bool)
	n := 0
	for text := range corpus {
		n++
		if err := checkUTF8(text); err != nil {
			return nil, fmt.Errorf("text %d of the corpus: %w", n, err)
		}
		for _, r := range text {
			seen[r] = true
		}
	}
	if len(seen) == 0 {
		return nil, errEmptyCorpus
	}
	return newChar(slices.Sorted(maps.Keys(seen))), nil
}

var errEmptyCorpus = errors.New("the corpus is empty: a tokenizer needs text to be made from")

// newChar makes a tokenizer of characters, with the end of text last.
func newChar(chars []rune) *char {
	tokens := make([][]byte, len(chars))
	for i, r := range chars {
		tokens[i] = utf8.AppendRune(nil, r)
	}
	return newCharOf(withEndOfText(tokens))
}

// newCharOf makes a tokenizer of a table whose ordinary tokens are characters.
func newCharOf(t table) *char {
	t.name = t.nameWithExtra("char")
	ids := make(map[rune]int32, len(t.tokens))
	for id, token := range t.tokens {
		if token != nil {
			r, _ := utf8.DecodeRune(token)
			ids[r] = int32(id)
		}
	}
	return &char{t, ids}
}

func (t *char) extended(more table) Tokenizer { return newCharOf(more) }

func (t *char) visible(id int32) string { return string(t.tokens[id]) }

func (t *char) Encode(text string) ([]int32, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	ids := make([]int32, 0, utf8.RuneCountInString(text))
	for i, r := range text {
		id, ok := t.ids[r]
		if !ok {
			return nil, fmt.Errorf("%s is character %q (U+%04X), which is not among the %d characters that this char tokenizer was made from: "+
				"leave it out, or train with --tokenizer bpe, which takes any text", place(text, i), r, r, len(t.ids))
		}
		ids = append(ids, id)
	}
	return ids, nil
}
