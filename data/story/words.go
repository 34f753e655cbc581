package story

import (
	"unicode"
	"unicode/utf8"

	"tinygpt/data/internal/chance"
)

// Words returns the words of the text and its punctuation marks, in order. A language that
// is written without spaces has its words from the grammar: they are the right segmentation,
// not a guess.
func (s Story) Words() []Span {
	g := s.language.segmented()
	if g == s.language.grammar() {
		return divide(s.Text, s.Text, g.speech.unspaced)
	}
	t := newTelling(g, drawn{chance.New(s.seed, uint64(s.index))})
	t.tell(g.root)
	return divide(s.Text, string(t.text), g.speech.unspaced)
}

// divide returns the spans of text that the spaces of spaced, the same text with more
// spaces, divide; marks are words of their own if asked for.
func divide(text, spaced string, marks bool) (words []Span) {
	at := 0
	open := false // the last word goes on
	for _, r := range spaced {
		size := utf8.RuneLen(r)
		if unicode.IsSpace(r) {
			if at < len(text) && rune(text[at]) == r {
				at++
			}
			open = false
			continue
		}
		alone := marks && unicode.IsPunct(r)
		if !open || alone {
			words = append(words, Span{at, at})
		}
		at += size
		words[len(words)-1].End = at
		open = !alone
	}
	return words
}
