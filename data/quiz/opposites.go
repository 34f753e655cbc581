package quiz

import (
	"math"

	"tinygpt/data/internal/chance"
)

// pairs of opposites; those of every fourth pair are in no sheet, but are in
// statements.
var pairs = [][2]string{
	{"big", "small"}, {"hot", "cold"}, {"tall", "short"}, {"old", "young"},
	{"happy", "sad"}, {"fast", "slow"}, {"wet", "dry"}, {"clean", "dirty"},
	{"hard", "soft"}, {"light", "dark"}, {"full", "empty"}, {"rich", "poor"},
	{"loud", "quiet"}, {"strong", "weak"}, {"good", "bad"}, {"thick", "thin"},
	{"wide", "narrow"}, {"open", "closed"}, {"deep", "shallow"}, {"early", "late"},
	{"near", "far"}, {"sweet", "sour"}, {"brave", "afraid"}, {"smooth", "rough"},
	{"heavy", "weightless"}, {"right", "wrong"}, {"true", "false"}, {"kind", "cruel"},
	{"sharp", "blunt"}, {"new", "worn"}, {"cheap", "dear"}, {"awake", "asleep"},
}

var opposite = func() map[string]string {
	m := map[string]string{}
	for _, p := range pairs {
		m[p[0]], m[p[1]] = p[1], p[0]
	}
	return m
}()

// adjectives are the words of the pairs.
var adjectives = func() (words [2][]string) {
	for i, p := range pairs {
		kept := 0
		if i%4 == 3 {
			kept = 1
		}
		words[kept] = append(words[kept], p[0], p[1])
	}
	return words
}()

var oppositeRules = []func(question) string{
	func(q question) string { return opposite[q.parts[0]] },
	part(0),
	func(q question) string { return "not " + q.parts[0] },
	func(q question) string { return "not " + opposite[q.parts[0]] },
}

var opposites = Task{
	Name: "opposites", Asks: "the opposite of a word", weight: 2,
	rules: oppositeRules,
	draw: func(c chance.Chooser, kept bool) question {
		words := pick(adjectives, kept)
		w := choose(c, words)
		return question{w, []string{w}, math.Log2(float64(len(words)))}
	},
	wrong: others(oppositeRules),
}
