// Package world is the built-in corpus: stories, and among them quiz sheets and
// statements, in a known proportion.
package world

import (
	"math"

	"tinygpt/data/internal/chance"
	"tinygpt/data/quiz"
	"tinygpt/data/story"
)

// Document is one text of the corpus.
type Document struct {
	Text string
	// Bits is −log2 of its probability, exactly: that it is a story or a quiz, and its
	// own.
	Bits float64
}

// Corpus returns documents 0, 1, 2 … of the seed until their texts together hold at
// least that many bytes. Each is of package quiz with probability quizzes, else a
// story. Without quizzes it is story.Corpus.
func Corpus(seed uint64, bytes int, quizzes float64) (documents []Document) {
	for held := 0; held < bytes; held += len(documents[len(documents)-1].Text) {
		documents = append(documents, generate(seed, len(documents), quizzes))
	}
	return documents
}

// resolution of the probability of a quiz.
const resolution = 1 << 32

func generate(seed uint64, index int, quizzes float64) Document {
	share := uint64(math.Round(quizzes * resolution))
	if chance.New(^seed, uint64(index)).Below(resolution) < share {
		d := quiz.Generate(seed, index)
		return Document{d.Text, d.Bits - math.Log2(float64(share)/resolution)}
	}
	s := story.Generate(seed, index)
	return Document{s.Text, s.Bits - math.Log2(float64(resolution-share)/resolution)}
}
