package fewshot

import (
	"fmt"
	"strings"
)

// Layout is how an example is written: a text with {question} and {answer}. A line break
// separates the examples of a prompt.
type Layout struct {
	question, answer string // what comes before each
	end              string // what comes after the answer
}

// DefaultLayout is one of the layouts in the sheets of the built-in world.
const DefaultLayout = "- {question} -> {answer}"

// ParseLayout reads a layout. {question} must come once, and {answer} once after it.
func ParseLayout(text string) (Layout, error) {
	before, rest, found := strings.Cut(text, "{question}")
	between, after, found2 := strings.Cut(rest, "{answer}")
	if !found || !found2 || strings.Contains(before+between+after, "{question}") || strings.Contains(after, "{answer}") {
		return Layout{}, fmt.Errorf("layout %q: expected {question} once and after it {answer} once, as in %q", text, DefaultLayout)
	}
	if between == "" {
		return Layout{}, fmt.Errorf("layout %q: expected something between {question} and {answer}, if only a space", text)
	}
	return Layout{before, between, after}, nil
}

// An example is cut where white space begins, and the pieces are encoded one by one. Tokenizers
// like GPT-2's cut a text there anyway, so the tokens are those of the whole prompt, and a
// question has the same tokens as a query as it has in a shot.
const whiteSpace = " \t\r\n"

// query returns an example up to its answer, without the white space before that.
func (l Layout) query(e Example) string {
	return strings.TrimRight(l.question+e.Question+l.answer, whiteSpace)
}

// choice returns choice i as it follows the query, with the white space before it.
func (l Layout) choice(e Example, i int) string {
	return (l.question + e.Question + l.answer)[len(l.query(e)):] + e.Choices[i]
}

// solved returns the right answer as it follows the query, without the white space after it.
func (l Layout) solved(e Example) string {
	return l.choice(e, e.Answer) + strings.TrimRight(l.end, whiteSpace)
}

// gap returns the white space between examples.
func (l Layout) gap() string { return l.end[len(strings.TrimRight(l.end, whiteSpace)):] + "\n" }

// Prompt returns a trial as the model reads it, up to its answer.
func (l Layout) Prompt(t Trial) string {
	var b strings.Builder
	for _, e := range t.Shots {
		b.WriteString(l.query(e) + l.solved(e) + l.gap())
	}
	return b.String() + l.query(t.Query)
}
