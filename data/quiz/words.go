package quiz

import (
	"slices"
	"strings"

	"tinygpt/data/story"
)

// divide divides words into those of sheets [0] and those kept for evaluations [1], which are
// every fourth.
func divide(words []string) (divided [2][]string) {
	for i, w := range words {
		part := 0
		if i%4 == 3 {
			part = 1
		}
		divided[part] = append(divided[part], w)
	}
	return divided
}

// The words of sheets [0] and those kept for evaluations [1].
var (
	people  = divide(story.English.Words("person", "word"))
	objects = divide(single(slices.Concat(story.English.Words("thing", "word"), story.English.Words("animal", "word"), story.English.Words("toy", "word"),
		story.English.Words("food", "word"), story.English.Words("place", "word"), story.English.Words("spot", "word"), adjectives[0], adjectives[1])))
)

// pick returns the words of sheets, or the kept ones.
func pick(words [2][]string, kept bool) []string {
	if kept {
		return words[1]
	}
	return words[0]
}

// single returns the texts that are one word, each once.
func single(texts []string) (words []string) {
	for _, w := range texts {
		if !strings.Contains(w, " ") && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}
