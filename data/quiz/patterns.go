package quiz

import "tinygpt/data/internal/chance"

// Patterns of four words, of which the question gives the first two.
var patternRules = []func(question) string{
	func(q question) string { return q.parts[1] + " " + q.parts[0] },
	func(q question) string { return q.parts[0] + " " + q.parts[1] },
	func(q question) string { return q.parts[0] + " " + q.parts[0] },
	func(q question) string { return q.parts[1] + " " + q.parts[1] },
}

var patterns = Task{
	Name: "patterns", Asks: "how a pattern of words goes on: A B, then B A", weight: 2,
	rules: patternRules,
	draw: func(c chance.Chooser, kept bool) question {
		words := pick(objects, kept)
		a, b := chooseTwo(c, words)
		return question{a + " " + b, []string{a, b}, two(len(words))}
	},
	wrong: others(patternRules),
}
