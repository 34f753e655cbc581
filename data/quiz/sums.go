package quiz

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"tinygpt/data/internal/chance"
)

// number writes a number of three digits, each a word of its own: so every digit is a
// token, whatever the tokenizer.
func number(n int) string { return strings.Join(strings.Split(fmt.Sprintf("%03d", n), ""), " ") }

// value reads what number wrote.
func value(text string) (n int) {
	fmt.Sscan(strings.ReplaceAll(text, " ", ""), &n)
	return n
}

// keptSum says whether a pair of summands is in no sheet and no statement: about one of
// eight.
func keptSum(a, b int) bool { return (a*7919+b*104729)%8 == 0 }

// summable are pairs of numbers of three digits with a sum of three digits.
func summable(a, b int) bool { return a >= 100 && b >= 100 && a+b < 1000 }

// sumPairs counts the pairs that aren't kept.
var sumPairs = sync.OnceValue(func() (n int) {
	for a := range 1000 {
		for b := range 1000 {
			if summable(a, b) && !keptSum(a, b) {
				n++
			}
		}
	}
	return n
})

func drawSum(c chance.Chooser, kept bool) (a, b int) {
	for {
		a, b = 100+int(c.Below(800)), 100+int(c.Below(800))
		if summable(a, b) && keptSum(a, b) == kept {
			return a, b
		}
	}
}

var sumRules = []func(question) string{
	func(q question) string { return number(value(q.parts[0]) + value(q.parts[1])) },
	func(q question) string { return number(max(value(q.parts[0]), value(q.parts[1]))) },
	func(q question) string { return number(min(value(q.parts[0]), value(q.parts[1]))) },
}

var sums = Task{
	Name: "sums", Asks: "the sum of two numbers of three digits", weight: 3,
	rules: sumRules,
	draw: func(c chance.Chooser, kept bool) question {
		a, b := drawSum(c, kept)
		return question{number(a) + " and " + number(b), []string{number(a), number(b)}, math.Log2(float64(sumPairs()))}
	},
	// The other numbers that sheets may ask for, and the sum with one digit changed.
	wrong: func(c chance.Chooser, q question) []string {
		digits := []byte(sumRules[0](q))
		at := 2 * c.Below(3)
		digits[at] = '0' + byte((int(digits[at]-'0')+1+int(c.Below(9)))%10)
		return []string{sumRules[1](q), sumRules[2](q), string(digits)}
	},
}
