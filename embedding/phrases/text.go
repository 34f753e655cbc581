// Package phrases joins words that belong together, so that new_york gets a vector of its
// own: pairs that occur next to each other much more often than by chance (Mikolov et al.
// 2013b, Distributed Representations of Words and Phrases, section 4). Applied to the
// characters of a language that is written without blanks, it finds the language's words. A
// Dictionary cuts such a text by the frequencies of known words.
package phrases

import (
	"bytes"
	"unicode"

	"tinygpt/embedding/corpus"
)

// Text is a text as numbers of its words.
type Text struct {
	words  []string
	ids    map[string]int32
	tokens []int32 // numbers of words, pause, or lineEnd after each line
}

// Tokens that aren't words: the end of a line, and punctuation (see AddCharacters). Nothing is
// joined across them.
const (
	lineEnd = -1
	pause   = -2
)

// NewText returns an empty text.
func NewText() *Text { return &Text{ids: map[string]int32{}} }

// Add appends a line, cut into words by split. The error is that of split.
func (t *Text) Add(line []byte, split corpus.Splitter) error {
	start := len(t.tokens)
	err := t.split(line, split)
	if len(t.tokens) > start {
		t.tokens = append(t.tokens, lineEnd)
	}
	return err
}

// AddCharacters appends a line in which every ideograph is a word of its own, so that Join can
// find the words. Punctuation and symbols are left out, and nothing is joined across them. The
// error is that of split.
func (t *Text) AddCharacters(line []byte, split corpus.Splitter) error {
	start := len(t.tokens)
	for part := range bytes.FieldsFuncSeq(line, func(r rune) bool { return unicode.In(r, unicode.P, unicode.S) }) {
		if n := len(t.tokens); n > start && t.tokens[n-1] != pause {
			t.tokens = append(t.tokens, pause)
		}
		if err := t.split(part, split); err != nil {
			return err
		}
	}
	if len(t.tokens) > start {
		t.tokens = append(t.tokens, lineEnd)
	}
	return nil
}

// split appends the words of a part of a line.
func (t *Text) split(part []byte, split corpus.Splitter) error {
	return split(part, func(word []byte) {
		id, ok := t.ids[string(word)]
		if !ok {
			id = t.id(string(word))
		}
		t.tokens = append(t.tokens, id)
	})
}

// id returns the number of a word, a new one if it has none.
func (t *Text) id(word string) int32 {
	id, ok := t.ids[word]
	if !ok {
		id = int32(len(t.words))
		t.words, t.ids[word] = append(t.words, word), id
	}
	return id
}

// EachLine calls f for the words of each line, which are valid until f returns, and ends at the
// first error of f, which it returns.
func (t *Text) EachLine(f func(words []string) error) error {
	var line []string
	for _, id := range t.tokens {
		if id >= 0 {
			line = append(line, t.words[id])
		}
		if id != lineEnd {
			continue
		}
		if err := f(line); err != nil {
			return err
		}
		line = line[:0]
	}
	return nil
}

// Counts returns how often each word occurs, by its number, and how many words the text
// has.
func (t *Text) Counts() (counts []int64, total int64) {
	counts = make([]int64, len(t.words))
	for _, id := range t.tokens {
		if id >= 0 {
			counts[id]++
			total++
		}
	}
	return counts, total
}
