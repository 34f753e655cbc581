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

// query is the prompt's end: the question, up to where the answer begins.
func (l Layout) query(e Example) string {
	return l.question + e.Question + strings.TrimRight(l.answer, " ")
}

// choice is a possible answer as it goes on from the query. The space before it belongs
// to it, as it does to the tokens of GPT-2 and its like.
func (l Layout) choice(e Example, i int) string {
	return l.answer[len(strings.TrimRight(l.answer, " ")):] + e.Choices[i]
}

// shot is a solved example.
func (l Layout) shot(e Example) string { return l.query(e) + l.choice(e, e.Answer) + l.end + "\n" }

// Prompt is a trial as the model reads it, up to its answer.
func (l Layout) Prompt(t Trial) string {
	var b strings.Builder
	for _, e := range t.Shots {
		b.WriteString(l.shot(e))
	}
	return b.String() + l.query(t.Query)
}
