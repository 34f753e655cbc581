package story

import "strings"

// article returns the word with "a" or "an" before it, by the sound of its first
// letters. The exceptions are those the grammar's tables need; a test holds every table
// to them.
func article(word string) string {
	if startsWithVowelSound(word) {
		return "an " + word
	}
	return "a " + word
}

func startsWithVowelSound(word string) bool {
	for _, prefix := range []string{"hour", "honest"} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	for _, prefix := range []string{"one", "use", "uni", "eu"} {
		if strings.HasPrefix(word, prefix) {
			return false
		}
	}
	return word != "" && strings.ContainsRune("aeiouAEIOU", rune(word[0]))
}

// capital returns the ASCII text with its first letter in upper case.
func capital(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return string(text[0]-'a'+'A') + text[1:]
}

// Pronouns are the forms that a table with a column "sex" (m, f or n) gets besides its
// own columns.
var pronounForms = []string{"he", "him", "his", "himself", "boy", "brother"}

var pronouns = map[string][]string{
	"m": {"he", "him", "his", "himself", "boy", "brother"},
	"f": {"she", "her", "her", "herself", "girl", "sister"},
	"n": {"it", "it", "its", "itself", "one", "friend"},
}
