package quiz

import (
	"math"
	"slices"

	"tinygpt/data/internal/chance"
)

// Task is a kind of sheet: a form of question, and the rules by which a sheet may answer it.
type Task struct {
	Name string
	// Asks says what an evaluation asks for.
	Asks string

	weight uint64 // of this kind among the sheets
	// Rules are equally likely; an evaluation asks for the first.
	rules []func(q question) string
	// Draw draws a question: one of those that sheets hold, or of those kept out of them.
	draw func(c chance.Chooser, kept bool) question
	// Wrong are the three other choices of an evaluation.
	wrong func(c chance.Chooser, q question) []string
}

// Question is what is asked, in words and, for the rules, in parts.
type question struct {
	text  string
	parts []string
	bits  float64 // −log2 of its probability in a sheet
}

// Tasks are all kinds of sheets.
func Tasks() []Task {
	return []Task{opposites, sorting, sums, patterns, places, feelings}
}

// Example is a question with its answer and the choices to find it among.
type Example struct {
	Question, Answer string
	Choices          []string // four, the answer among them
}

// Example returns evaluation example number index of a seed. What it asks was kept out of all sheets.
func (t Task) Example(seed uint64, index int) Example {
	c := chance.New(seed, uint64(index))
	for {
		q := t.draw(c, true)
		answer := t.rules[0](q)
		choices := append([]string{answer}, t.wrong(c, q)...)
		if distinct(choices) {
			shuffle(c, choices)
			return Example{q.text, answer, choices}
		}
	}
}

func distinct(texts []string) bool {
	for i, t := range texts {
		if slices.Contains(texts[:i], t) {
			return false
		}
	}
	return true
}

func shuffle(c chance.Chooser, texts []string) {
	for i := range texts {
		j := i + int(c.Below(uint64(len(texts)-i)))
		texts[i], texts[j] = texts[j], texts[i]
	}
}

// Consistent counts the rules that give all the answers.
func (t Task) consistent(questions []question, answers []string) int {
	n := 0
	for _, rule := range t.rules {
		agrees := true
		for i, q := range questions {
			agrees = agrees && rule(q) == answers[i]
		}
		if agrees {
			n++
		}
	}
	return n
}

// Choose draws one of some words.
func choose(c chance.Chooser, words []string) string { return words[c.Below(uint64(len(words)))] }

// ChooseTwo draws two different words, in order.
func chooseTwo(c chance.Chooser, words []string) (string, string) {
	i := c.Below(uint64(len(words)))
	j := c.Below(uint64(len(words) - 1))
	if j >= i {
		j++
	}
	return words[i], words[j]
}

// Two is the information in chooseTwo of n words.
func two(n int) float64 { return math.Log2(float64(n) * float64(n-1)) }

// Part returns a rule: the answer is that part of the question.
func part(i int) func(question) string { return func(q question) string { return q.parts[i] } }

// Others returns the answers of all rules but the first.
func others(rules []func(question) string) func(chance.Chooser, question) []string {
	return func(_ chance.Chooser, q question) (wrong []string) {
		for _, rule := range rules[1:] {
			wrong = append(wrong, rule(q))
		}
		return wrong
	}
}
