package finetune

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/finetune/metric"
)

// Answer is a prediction in the words of the task, for people and as JSON.
type Answer struct {
	Texts []string `json:"texts,omitempty"`
	// Label is the likeliest class or the text of the likeliest choice, with its Probability.
	// Choice is the choice's index, from 0.
	Label       string   `json:"label,omitempty"`
	Choice      *int     `json:"choice,omitempty"`
	Probability *float64 `json:"probability,omitempty"`
	// Probabilities are those of all classes or choices, the likeliest first.
	Probabilities []Share `json:"probabilities,omitempty"`
	// Grade is the predicted grade of a regression.
	Grade *float64 `json:"grade,omitempty"`
	// Tokens and Tags are the words with their tags, Entities those that BIO tags mark.
	Tokens   []string `json:"tokens,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Entities []Entity `json:"entities,omitempty"`
	// Truncated says that the text was too long and was cut.
	Truncated bool `json:"truncated,omitempty"`
}

// Share is a class with its probability.
type Share struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
}

// Entity is the text of an entity and its type.
type Entity struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Answer returns the answer for an item and the prediction for it.
func (s *Setup) Answer(it *Item, p Prediction) Answer {
	x := it.Example
	a := Answer{Texts: x.Texts, Truncated: it.Cut}
	names := []string(s.Classes)
	switch {
	case tasks[s.Task].kind == labelled.Tagged:
		a.Tokens = x.Tokens
		for _, tag := range p.Tags {
			a.Tags = append(a.Tags, s.Classes[tag])
		}
		if s.MetricName() == spanF1 {
			for _, span := range metric.Spans(a.Tags) {
				a.Entities = append(a.Entities, Entity{span.Type, strings.Join(x.Tokens[span.Start:span.End], " ")})
			}
		}
		return a
	case s.Head == Regression:
		a.Grade = &p.Grade
		return a
	case tasks[s.Task].kind == labelled.Choice:
		names, a.Choice = x.Choices, &p.Class
	}
	for i, q := range p.Probabilities {
		a.Probabilities = append(a.Probabilities, Share{names[i], q})
	}
	a.Label, a.Probability = names[p.Class], &p.Probabilities[p.Class]
	slices.SortStableFunc(a.Probabilities, func(a, b Share) int { return cmp.Compare(b.Probability, a.Probability) })
	return a
}

// String returns the answer in one line.
func (a Answer) String() string {
	var head string
	switch {
	case a.Grade != nil:
		head = fmt.Sprintf("%.3f", *a.Grade)
	case a.Tags != nil:
		var words []string
		for i, token := range a.Tokens {
			if a.Tags[i] != labelled.Outside {
				token += "/" + a.Tags[i]
			}
			words = append(words, token)
		}
		return strings.Join(words, " ")
	default:
		var shares []string
		for _, s := range a.Probabilities {
			shares = append(shares, fmt.Sprintf("%s %.1f %%", oneLine(s.Label), 100*s.Probability))
		}
		head = strings.Join(shares, ", ")
	}
	return head + "\t" + oneLine(strings.Join(a.Texts, " | "))
}

// oneLine replaces every run of white space by a space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
