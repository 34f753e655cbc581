package quiz

import (
	"math"
	"slices"

	"tinygpt/data/internal/chance"
)

// Task is a kind of sheet: a form of question, and the rules by which a sheet may
// answer it.
type Task struct {
	Name string
	// Asks says what an evaluation asks for.
	Asks string

	weight uint64 // of this kind among the sheets
	// rules are equally likely; an evaluation asks for the first.
	rules []func(q question) string
	// draw draws a question: one of those that sheets hold, or of those kept out of
	// them.
	draw func(c chance.Chooser, kept bool) question
	// wrong are the three other choices of an evaluation.
	wrong func(c chance.Chooser, q question) []string
}

// question is what is asked, in words and, for the rules, in parts.
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

	q question
}

// Trial returns a question of an evaluation, one that no sheet has, and as many different
// solved examples as are asked for, which sheets may have. Seed and index decide which.
func (t Task) Trial(seed uint64, index, shots int) (query Example, solved []Example) {
	c := chance.New(seed, uint64(index))
	query = t.example(c, true)
	for len(solved) < shots {
		e := t.example(c, false)
		if !slices.ContainsFunc(solved, func(s Example) bool { return s.Question == e.Question }) {
			solved = append(solved, e)
		}
	}
	return query, solved
}

func (t Task) example(c chance.Chooser, kept bool) Example {
	for {
		q := t.draw(c, kept)
		answer := t.rules[0](q)
		choices := append([]string{answer}, t.wrong(c, q)...)
		if distinct(choices) {
			shuffle(c, choices)
			return Example{q.text, answer, choices, q}
		}
	}
}

// Ideal is the probability that the best possible reader, who knows all rules but not
// which of them the examples follow, answers the query rightly: of the rules that agree
// with all examples, most give the choice that is taken; of equal ones, one at random.
func (t Task) Ideal(solved []Example, query Example) float64 {
	votes := make([]int, len(query.Choices))
	for _, rule := range t.rules {
		if slices.ContainsFunc(solved, func(e Example) bool { return rule(e.q) != e.Answer }) {
			continue
		}
		if i := slices.Index(query.Choices, rule(query.q)); i >= 0 {
			votes[i]++
		}
	}
	most, even := slices.Max(votes), 0
	for _, v := range votes {
		if v == most {
			even++
		}
	}
	if votes[slices.Index(query.Choices, query.Answer)] < most {
		return 0
	}
	return 1 / float64(even)
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

// consistent counts the rules that give all the answers.
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

// choose draws one of some words.
func choose(c chance.Chooser, words []string) string { return words[c.Below(uint64(len(words)))] }

// chooseTwo draws two different words, in order.
func chooseTwo(c chance.Chooser, words []string) (string, string) {
	i := c.Below(uint64(len(words)))
	j := c.Below(uint64(len(words) - 1))
	if j >= i {
		j++
	}
	return words[i], words[j]
}

// two is the information in chooseTwo of n words.
func two(n int) float64 { return math.Log2(float64(n) * float64(n-1)) }

// part returns a rule: the answer is that part of the question.
func part(i int) func(question) string { return func(q question) string { return q.parts[i] } }

// others returns the answers of all rules but the first.
func others(rules []func(question) string) func(chance.Chooser, question) []string {
	return func(_ chance.Chooser, q question) (wrong []string) {
		for _, rule := range rules[1:] {
			wrong = append(wrong, rule(q))
		}
		return wrong
	}
}
