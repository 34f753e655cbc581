package story

import (
	"embed"
	"strings"
)

//go:embed english/*.txt
var englishFiles embed.FS

// English is the language of the first corpus.
var English = newLanguage("en", englishFiles, "english", &speech{
	pronounForms: []string{"he", "him", "his", "himself", "boy", "brother"},
	pronouns: map[string][]string{
		"m": {"he", "him", "his", "himself", "boy", "brother"},
		"f": {"she", "her", "her", "herself", "girl", "sister"},
		"n": {"it", "it", "its", "itself", "one", "friend"},
	},
	feelings: [2][]string{
		{"happy", "proud", "glad", "calm", "excited", "thankful"},
		{"sad", "angry", "afraid", "ashamed", "lonely", "worried"},
	},
	derive:    deriveEnglish,
	sentences: englishSentences,
	refer:     withArticle,
	who:       func(thing string) string { return "Who has the " + thing + " at the end?" },
	where: func(what string, kind Kind) string {
		if kind != Person {
			what = "the " + what
		}
		return "Where is " + what + " at the end?"
	},
	feels: func(person string) string { return "How does " + person + " feel at the end?" },
	why:   func(person, feeling string) string { return "Why was " + person + " " + feeling + "?" },
	pairs: []pairs{
		{"dish-ingredient", "food", "word", "part"},
		{"animal-home", "animal", "word", "home"},
		{"animal-cry", "animal", "word", "cry"},
		{"gram-past-tense", "toy", "use", "used"},
	},
})

// withArticle names a record in a question: a name as it is, a role ("mother") with the
// article.
func withArticle(word string) string {
	if word != capital(word) {
		return "the " + word
	}
	return word
}

// deriveEnglish derives two forms of a table: "a" puts the article before the word, and a
// name that begins with a capital is the form with a capital first letter.
func deriveEnglish(t *table, form string) func(record) string {
	switch {
	case form == "a":
		return func(r record) string { return article(r.forms[0]) }
	case strings.ToLower(form[:1]) != form[:1]:
		if base := t.column(strings.ToLower(form[:1]) + form[1:]); base >= 0 {
			return func(r record) string { return capital(r.forms[base]) }
		}
	}
	return nil
}

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

// englishSentences splits at a full stop, question or exclamation mark, perhaps with a closing
// quotation mark, before the end, a line break, or a space and a capital letter or
// quotation mark. What a speaker says may so be several sentences, but "Where is it?"
// asked Tom is one.
func englishSentences(text string) []Span {
	var out []Span
	start := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != '.' && c != '?' && c != '!' && c != '\n' {
			continue
		}
		end := i + 1
		if text[i] == '\n' {
			end = i
		}
		if end < len(text) && text[end] == '"' {
			end++
		}
		next := end
		for next < len(text) && (text[next] == ' ' || text[next] == '\n') {
			next++
		}
		if next < len(text) && (next == end || text[next] >= 'a' && text[next] <= 'z') {
			continue
		}
		if end > start {
			out = append(out, Span{start, end})
		}
		start, i = next, next-1
	}
	if start < len(text) {
		out = append(out, Span{start, len(text)})
	}
	return out
}
