package story

import (
	"strings"
	"testing"
)

// Every word of a question is a word of the stories, and the questions with known
// answers are among them.
func TestAnalogies(t *testing.T) {
	text := strings.Builder{}
	for _, s := range English.Corpus(1, 5_000_000) {
		text.WriteString(strings.ToLower(s.Text))
		text.WriteByte(' ')
	}
	known := map[string]bool{}
	for _, w := range strings.FieldsFunc(text.String(), func(r rune) bool { return r < 'a' || r > 'z' }) {
		known[w] = true
	}
	questions := English.Analogies()
	for _, want := range []string{": female-male\n", "mother father aunt uncle\n", "tom he mia she\n", "cake eggs soup carrots\n", "dog barked cat meowed\n", "throw threw fly flew\n"} {
		if !strings.Contains(questions, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for line := range strings.Lines(questions) {
		if strings.HasPrefix(line, ":") {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 4 {
			t.Errorf("%q has %d words", line, len(words))
		}
		for _, w := range words {
			if !known[w] {
				t.Errorf("%q: %q is in none of the stories", strings.TrimSpace(line), w)
			}
		}
	}
}
