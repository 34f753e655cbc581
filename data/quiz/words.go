package quiz

import (
	"slices"

	"tinygpt/data/story"
)

// Keep divides words: every fourth is kept out of the sheets.
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
	people  = kept2(story.Words("person", "word"))
	objects = kept2(slices.Concat(story.Words("thing", "word"), story.Words("animal", "word")))
)

func kept2(words []string) [2][]string {
	asked, kept := keep(words)
	return [2][]string{asked, kept}
}

// Pick returns the words of sheets, or the kept ones.
func pick(words [2][]string, kept bool) []string {
	if kept {
		return words[1]
	}
	return words[0]
}
