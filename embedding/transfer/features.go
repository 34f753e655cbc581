package transfer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The features of words.
const (
	Shape  = "shape"
	Suffix = "suffix"
)

// Widths of the features' vectors.
const (
	shapeWidth  = 10
	suffixWidth = 20
)

// How a word can be written.
const (
	noWord = iota // before and after the sentence
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

// shapeOf says how a word is written.
func shapeOf(word string) int32 {
	var letters, uppers, digits, others, all int
	for _, r := range word {
		all++
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			uppers++
			letters++
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		default:
			others++
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

// suffixOf is a word's last three letters, in lower case.
func suffixOf(word string) string {
	w := []rune(strings.ToLower(word))
	return string(w[max(0, len(w)-3):])
}
