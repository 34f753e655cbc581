package chat

import (
	"slices"
	"strings"
)

// What is measured before something grows from it: the text that * repeats, the value of a
// method that is called, what a filter is applied to, what a loop goes through. Each is then
// within limits, and what one tag makes of it is within mostNames and mostGrowth.

// span is where a word is in a tag's code.
type span struct {
	word
	from, to int
}

// spansOf divides a tag's code as wordsOf does.
func spansOf(code string) (list []span) {
	words := wordsOf(code)
	for i, place := range codeWords.FindAllStringIndex(code, -1) {
		list = append(list, span{words[i], place[0], place[1]})
	}
	return list
}

// insertion is text to be put into code.
type insertion struct {
	at   int
	text string
}

// insert puts texts into code, those for one place in their order.
func insert(code string, list []insertion) string {
	slices.SortStableFunc(list, func(a, b insertion) int { return a.at - b.at })
	var b strings.Builder
	last := 0
	for _, in := range list {
		b.WriteString(code[last:in.at] + in.text)
		last = in.at
	}
	return b.String() + code[last:]
}

// measured writes a tag's code so that values are measured before they can grow.
func measured(code string) string {
	list := spansOf(code)
	var closing, opening []insertion
	for i, w := range list {
		if i == 0 || w.literal {
			continue
		}
		end := i // of the value, which ends before this word
		switch {
		case w.text == "|":
			opening = append(opening, insertion{w.from, "| " + keptName + " "})
			continue
		case w.text == "*":
		case w.text == "(" && i > 2 && list[i-1].isName() && list[i-2].text == "." && list[i-3].text != "loop": // a method
			end = i - 2
		case w.text == "[" && list[i-1].text == ")" && !attached(list, opener(list, i-1)): // a part of a value in parentheses
		default:
			continue
		}
		closing = append(closing, insertion{list[end-1].to, ")"})
		opening = append(opening, insertion{list[operand(list, end, w.text == "*")].from, keptName + "("})
	}
	return insert(code, append(closing, opening...))
}

// keywords are names that no value has.
var keywords = []string{"not", "and", "or", "in", "is", "if", "elif", "else", "for", "set"}

// attached reports whether the bracket ( or [ at an index belongs to a name or a bracket before
// it, as in a call or a part, rather than around a value of its own.
func attached(list []span, bracket int) bool {
	if bracket < 1 {
		return false
	}
	before := list[bracket-1]
	return before.isName() && !slices.Contains(keywords, before.text) || before.text == ")" || before.text == "]"
}

// opener is the index of the bracket that the one at index i closes; 0 if there is none.
func opener(list []span, i int) int {
	depth := 0
	for ; i > 0; i-- {
		switch w := list[i]; {
		case w.literal:
		case strings.Contains(")]}", w.text):
			depth++
		case strings.Contains("([{", w.text):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return 0
}

// operand is the index of the first word of the value that ends before index end: a name, a
// number, a text or something in brackets, with attributes, parts and calls, and with filters if
// these count.
func operand(list []span, end int, filters bool) int {
	for i := end - 1; i > 0; {
		part := false // of the value before it
		if w := list[i]; !w.literal && strings.Contains(")]}", w.text) {
			i = opener(list, i)
			part = list[i].text != "{" && attached(list, i) || list[i].text == "[" && list[max(i-1, 0)].literal
		}
		switch {
		case i == 0:
			return 0
		case part:
			i--
		case i > 1 && (list[i-1].text == "." || filters && list[i-1].text == "|"):
			i -= 2
		default:
			return i
		}
	}
	return 0
}

// measuredLoop writes the tag of a loop so that what it goes through is measured, and the time
// is looked at each time that its condition is. A range has a limit of its own.
func measuredLoop(code string) string {
	list := spansOf(code)
	from, condition, depth := 0, len(list), 0 // indices of what the loop goes through, and of the word if
	for i, w := range list {
		switch {
		case w.literal:
		case strings.Contains("([{", w.text):
			depth++
		case strings.Contains(")]}", w.text):
			depth--
		case depth == 0 && w.text == "in" && from == 0:
			from = i + 1
		case depth == 0 && w.text == "if" && from > 0 && condition == len(list):
			condition = i
		}
	}
	if from == 0 || from >= condition {
		return code // which the engine refuses
	}
	var places []insertion
	if through := list[from:condition]; through[0].text != "range" || opener(list, condition-1) != from+1 {
		places = append(places, insertion{through[0].from, keptName + "("}, insertion{through[len(through)-1].to, ")"})
	}
	if condition < len(list) {
		places = append(places, insertion{list[condition].to, " " + keptName + "("}, insertion{len(code), ")"})
	}
	return insert(code, places)
}
