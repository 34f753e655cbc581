// Package suggest finds the name that was meant when one is mistyped.
package suggest

import "strings"

// Closest returns the candidate that is most like a mistyped word, or "" if none is
// like it. Capitals, and _ in place of -, make no difference. A candidate that has a
// part which begins with the word counts as like it: "temp" of temperature, "tokens" of
// max-tokens.
func Closest(word string, candidates []string) string {
	most := min(len(word)/2, 1+len(word)/4) // mistakes
	best, least := "", most+1
	for _, c := range candidates {
		d := Distance(fold(word), fold(c))
		if len(word) >= 3 && strings.Contains("-"+fold(c), "-"+fold(word)) {
			d = min(d, most)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// fold writes words that differ in capitals, and in what parts them, only alike.
func fold(s string) string {
	return strings.NewReplacer("_", "-", ".", "-", "/", "-").Replace(strings.ToLower(s))
}

// Expected is the second half of an error about a value that must be one of several: what
// they are, and which one was meant, as in "expected text or json; did you mean json?".
func Expected[T ~string](found T, choices ...T) string {
	return "expected " + List(choices) + DidYouMean(found, choices...)
}

// DidYouMean is the end of such an error where the choices are explained otherwise:
// "; did you mean json?", or nothing if none is like what was found.
func DidYouMean[T ~string](found T, choices ...T) string {
	var names []string
	for _, c := range choices {
		names = append(names, string(c))
	}
	if meant := Closest(string(found), names); meant != "" {
		return "; did you mean " + meant + "?"
	}
	return ""
}

// List writes choices as English does: "a, b or c".
func List[T ~string](choices []T) (s string) {
	for i, c := range choices {
		switch {
		case i > 0 && i == len(choices)-1:
			s += " or "
		case i > 0:
			s += ", "
		}
		s += string(c)
	}
	return s
}

// Distance is how many bytes are inserted, deleted, replaced, or swapped with the next
// one to make b of a, no byte being changed twice (the optimal string alignment of
// Damerau and Levenshtein).
func Distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
