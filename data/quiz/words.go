package quiz

import (
	"slices"
	"strings"

	"tinygpt/data/story"
)

// keep divides words: every fourth is kept out of the sheets.
func keep(words []string) (asked, kept []string) {
	for i, w := range words {
		if i%4 == 3 {
			kept = append(kept, w)
		} else {
			asked = append(asked, w)
		}
	}
	return asked, kept
}

// The words of sheets [0] and those kept for evaluations [1].
var (
	people  = kept2(story.English.Words("person", "word"))
	objects = kept2(single(slices.Concat(story.English.Words("thing", "word"), story.English.Words("animal", "word"), story.English.Words("toy", "word"),
		story.English.Words("food", "word"), story.English.Words("place", "word"), story.English.Words("spot", "word"), adjectives[0], adjectives[1])))
)

func kept2(words []string) [2][]string {
	asked, kept := keep(words)
	return [2][]string{asked, kept}
}

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
