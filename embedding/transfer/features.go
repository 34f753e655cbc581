package transfer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Features of words besides their vectors: how a word is written, and its last three letters.
const (
	Shape  = "shape"
	Suffix = "suffix"
)

// Widths of the features' vectors.
const (
	shapeWidth  = 10
	suffixWidth = 20
)

// Shapes, the ways in which a word can be written.
const (
	noWord = iota // a place before or after the sentence
	lower
	capitalized
	upper
	singleUpper
	mixed
	number
	withNumber
	punctuation
	shapes // how many there are
)

// shapeOf returns a word's shape.
func shapeOf(word string) int32 {
	var letters, uppers, digits int
	for _, r := range word {
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			uppers++
			letters++
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	first, _ := utf8.DecodeRuneInString(word)
	switch {
	case letters == 0 && digits == 0:
		return punctuation
	case letters == 0:
		return number
	case digits > 0:
		return withNumber
	case uppers == 0:
		return lower
	case uppers == letters && letters == 1:
		return singleUpper
	case uppers == letters:
		return upper
	case uppers == 1 && unicode.IsUpper(first):
		return capitalized
	}
	return mixed
}

// suffixOf returns a word's last three characters, in lower case.
func suffixOf(word string) string {
	w := []rune(strings.ToLower(word))
	return string(w[max(0, len(w)-3):])
}
