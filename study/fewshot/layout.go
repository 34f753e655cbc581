package fewshot

import (
	"fmt"
	"strings"
)

// Layout is how an example is written, a text with {question} and {answer}. The
// examples of a prompt are divided by a line break.
type Layout struct {
	question, answer string // what comes before each
	end              string
}

// DefaultLayout is one of those in the sheets of the built-in world.
const DefaultLayout = "- {question} -> {answer}"

// ParseLayout reads a layout.
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

// An example is divided where white space begins, and each piece is encoded by itself: there
// GPT-2's tokenizer and its like divide a text in any case, so that a question has the
// tokens in the query that it has in the shots, which are those of the whole prompt.
const whiteSpace = " \t\r\n"

// query is an example up to where its answer begins.
func (l Layout) query(e Example) string {
	return strings.TrimRight(l.question+e.Question+l.answer, whiteSpace)
}

// choice is a possible answer as it goes on from the query, with the white space before it.
func (l Layout) choice(e Example, i int) string {
	return (l.question + e.Question + l.answer)[len(l.query(e)):] + e.Choices[i]
}

// solved is the right answer of a shot, up to the white space after it.
func (l Layout) solved(e Example) string {
	return l.choice(e, e.Answer) + strings.TrimRight(l.end, whiteSpace)
}

// gap is the white space between examples.
func (l Layout) gap() string { return l.end[len(strings.TrimRight(l.end, whiteSpace)):] + "\n" }

// Prompt is a trial as the model reads it, up to its answer.
func (l Layout) Prompt(t Trial) string {
	var b strings.Builder
	for _, e := range t.Shots {
		b.WriteString(l.query(e) + l.solved(e) + l.gap())
	}
	return b.String() + l.query(t.Query)
}
