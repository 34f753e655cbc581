package quiz

import (
	"math"
	"slices"
	"strings"

	"tinygpt/data/internal/chance"
)

// sortedDigits is how many digits a line to be sorted has.
const sortedDigits = 4

// digitSets are all sets of different digits, divided: every fourth is in no sheet.
var digitSets = func() [2][]string {
	var sets []string
	var grow func(set string, next byte)
	grow = func(set string, next byte) {
		if len(set) == sortedDigits {
			sets = append(sets, set)
			return
		}
		for d := next; d <= '9'; d++ {
			grow(set+string(d), d+1)
		}
	}
	grow("", '0')
	return divide(sets)
}()

var sortingRules = []func(question) string{
	func(q question) string { return strings.Join(slices.Sorted(slices.Values(q.parts)), " ") },
	func(q question) string {
		down := slices.Sorted(slices.Values(q.parts))
		slices.Reverse(down)
		return strings.Join(down, " ")
	},
	func(q question) string {
		back := slices.Clone(q.parts)
		slices.Reverse(back)
		return strings.Join(back, " ")
	},
	func(q question) string { return q.text },
}

var sorting = Task{
	Name: "sorting", Asks: "four digits in ascending order", weight: 2,
	rules: sortingRules,
	draw: func(c chance.Chooser, kept bool) question {
		sets := pick(digitSets, kept)
		digits := strings.Split(choose(c, sets), "")
		shuffle(c, digits)
		return question{strings.Join(digits, " "), digits, math.Log2(float64(len(sets)) * 24)}
	},
	wrong: others(sortingRules),
}
