// Package suggest finds the name that was meant when one is mistyped.
package suggest

import "strings"

// Closest returns the candidate that is most like a mistyped word, or "" if none is
// like it. A candidate that the word begins or is part of ("temp" of "temperature")
// counts as like it.
func Closest(word string, candidates []string) string {
	best, least := "", len(word)/2+1
	for _, c := range candidates {
		d := Distance(word, c)
		if len(word) >= 3 && strings.Contains(c, word) {
			d = min(d, len(word)/2)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// Distance is Levenshtein's: how many bytes are inserted, deleted or replaced to make
// b of a.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
