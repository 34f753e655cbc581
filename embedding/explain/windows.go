package explain

import (
	"fmt"
	"strings"
)

// OneHot returns a table of a sentence's different words with the one-hot vector of each.
func OneHot(words []string) Table {
	t := Table{Title: "One-hot vectors", Header: []string{"word", "number", "one-hot vector"},
		Note: "A word is a 1 at its own place: all words are equally far from each other."}
	distinct := unique(words)
	for i, w := range distinct {
		bits := make([]string, len(distinct))
		for j := range bits {
			bits[j] = "0"
		}
		bits[i] = "1"
		t.add(w, i, strings.Join(bits, " "))
	}
	return t
}

// unique returns each word once, in the order of first occurrence.
func unique(words []string) (list []string) {
	seen := map[string]bool{}
	for _, w := range words {
		if !seen[w] {
			seen[w] = true
			list = append(list, w)
		}
	}
	return list
}

// Windows returns a table with a row for each word of a sentence: the context from which CBOW
// predicts it, window words on each side, and its pairs in skip-gram.
func Windows(words []string, window int) Table {
	t := Table{
		Title:  fmt.Sprintf("Sliding window of %d words on each side", window),
		Note:   "CBOW has one example for each place, skip-gram one for each pair.",
		Header: []string{"sentence", "CBOW: context → word", "skip-gram: word → context"},
	}
	for at, w := range words {
		marked := append([]string(nil), words...)
		marked[at] = "[" + w + "]"
		var context, pairs []string
		for i := max(0, at-window); i < min(len(words), at+window+1); i++ {
			if i != at {
				context = append(context, words[i])
				pairs = append(pairs, fmt.Sprintf("(%s, %s)", w, words[i]))
			}
		}
		t.add(strings.Join(marked[max(0, at-window):min(len(words), at+window+1)], " "),
			strings.Join(context, " ")+" → "+w, strings.Join(pairs, " "))
	}
	return t
}
