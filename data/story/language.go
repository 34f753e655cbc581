package story

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"tinygpt/internal/suggest"
)

// Language is a language that stories are told in. Everything is computed from its
// grammar, by the same code for all languages.
type Language struct {
	// Name is the ISO 639 code, as configurations have it.
	Name string

	grammar func() *grammar
	// segmented is the grammar with the spaces that aren't printed: the same stories, their
	// words apart. Of a language that is written with spaces it is the grammar.
	segmented func() *grammar
}

// Languages are all languages, the default first.
func Languages() []*Language { return []*Language{English, Chinese} }

// ByName returns the language of a configuration; "" is English.
func ByName(name string) (*Language, error) {
	var names []string
	for _, l := range Languages() {
		if name == l.Name || name == "" {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return nil, fmt.Errorf("no built-in stories in %q: %s", name, suggest.Expected(name, names...))
}

// Unspaced says whether the language is written without spaces between words.
func (l *Language) Unspaced() bool { return l.grammar().speech.unspaced }

// speech is what of a language isn't in its tables and rules.
type speech struct {
	unspaced bool // written without spaces between words
	// A table with a column "sex" gets these forms besides its own columns, by the value of
	// that column: m, f or n.
	pronounForms []string
	pronouns     map[string][]string
	// feelings are those that marks may name, glad ones and sorry ones. A question about one
	// has its wrong choices from the other side.
	feelings [2][]string
	// derive returns what makes a form that the table has no column for; nil: none. May be
	// nil itself.
	derive    func(t *table, form string) func(record) string
	sentences func(text string) []Span
	// The words of questions.
	refer func(word string) string // a person or animal
	who   func(thing string) string
	where func(what string, kind Kind) string
	feels func(person string) string
	why   func(person, feeling string) string
	// pairs are sections of analogies.
	pairs []pairs
}

// newLanguage is a language whose grammar is read at its first use.
func newLanguage(name string, files embed.FS, folder string, s *speech) *Language {
	read := func(spaces bool) func() *grammar {
		return sync.OnceValue(func() *grammar {
			sub, err := fs.Sub(files, folder)
			if err != nil {
				panic("story: " + err.Error())
			}
			g, err := readGrammar(sub, s, spaces)
			if err != nil {
				panic("story: " + folder + "/" + err.Error())
			}
			return g
		})
	}
	l := &Language{Name: name, grammar: read(!s.unspaced)}
	l.segmented = l.grammar
	if s.unspaced {
		l.segmented = read(true)
	}
	return l
}
