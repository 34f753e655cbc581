// Package world is the built-in corpus: stories, and among them quiz sheets and
// statements, in a known proportion.
package world

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"tinygpt/data/internal/chance"
	"tinygpt/data/quiz"
	"tinygpt/data/story"
	"tinygpt/internal/capacity"
)

// Document is one text of the corpus.
type Document struct {
	Text string
	// Bits is −log2 of its probability, exactly: that it is a story or a quiz, and its
	// own.
	Bits float64

	story *story.Story // nil: a quiz
}

// Words are the words of the text, spaces between them and without punctuation, in a
// language that is written without spaces; otherwise the text as it is.
func (d Document) Words() string {
	if d.story == nil || !d.story.Language().Unspaced() {
		return d.Text
	}
	var words []string
	for _, w := range d.story.Words() {
		word := d.Text[w.Start:w.End]
		if r, _ := utf8.DecodeRuneInString(word); !unicode.IsPunct(r) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// Corpus returns documents 0, 1, 2 … of the seed until their texts together hold at
// least that many bytes. Each is of package quiz, in English, with probability quizzes,
// else a story in the language. Without quizzes it is the language's Corpus.
func Corpus(l *story.Language, seed uint64, bytes int, quizzes float64) (documents []Document) {
	for held := 0; held < bytes; held += len(documents[len(documents)-1].Text) {
		documents = append(documents, generate(l, seed, len(documents), quizzes))
	}
	return documents
}

// resolution of the probability of a quiz.
const resolution = 1 << 32

func generate(l *story.Language, seed uint64, index int, quizzes float64) Document {
	share := uint64(math.Round(quizzes * resolution))
	if chance.New(^seed, uint64(index)).Below(resolution) < share {
		d := quiz.Generate(seed, index)
		return Document{Text: d.Text, Bits: d.Bits - math.Log2(float64(share)/resolution)}
	}
	s := l.Generate(seed, index)
	return Document{s.Text, s.Bits - math.Log2(float64(resolution-share)/resolution), &s}
}

// bytesOfText is about what a run needs for each byte of a corpus: the text and what is known
// of how it was made, its tokens, its words.
const bytesOfText = 4

// CheckSize returns an error if this computer hasn't the memory for a corpus of that many
// bytes.
func CheckSize(bytes int) error {
	return capacity.Check(fmt.Sprintf("data.stories_bytes of %d", bytes), bytesOfText*float64(bytes), 1, "lower it")
}
