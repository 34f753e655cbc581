package quiz

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tinygpt/data/internal/chance"
)

// Document is a sheet or a book of statements.
type Document struct {
	// Text is plain ASCII, lines that begin with "- ", without space at its ends.
	Text string
	// Bits is −log2 P(Text), the end of the text included.
	Bits float64
}

// forms are how a line is written. A sheet keeps to one; an evaluation uses the first.
var forms = []string{"- %s -> %s", "- %s : %s", "- %s = %s", "- %s | %s"}

// A document has fewestLines to mostLines lines, each number as likely.
const fewestLines, mostLines = 6, 20

// bookWeight is the weight of books of statements among the kinds of documents.
const bookWeight = 3

// Generate returns document number index (from 0) of an endless series. It depends on
// nothing but seed and index.
func Generate(seed uint64, index int) Document {
	c := chance.New(seed, uint64(index))
	total := uint64(bookWeight)
	for _, t := range Tasks() {
		total += t.weight
	}
	kind := c.Below(total)
	lines := fewestLines + int(c.Below(mostLines-fewestLines+1))
	bits := math.Log2(mostLines - fewestLines + 1)
	for _, t := range Tasks() {
		if kind < t.weight {
			text, b := t.sheet(c, lines)
			return Document{text, bits + b + math.Log2(float64(total)/float64(t.weight))}
		}
		kind -= t.weight
	}
	text, b := book(c, lines)
	return Document{text, bits + b + math.Log2(float64(total)/float64(bookWeight))}
}

// sheet writes a sheet of that many lines.
func (t Task) sheet(c chance.Chooser, lines int) (text string, bits float64) {
	form := choose(c, forms)
	rule := t.rules[c.Below(uint64(len(t.rules)))]
	var questions []question
	var answers, out []string
	for range lines {
		q := t.draw(c, false)
		a := rule(q)
		questions, answers = append(questions, q), append(answers, a)
		out = append(out, fmt.Sprintf(form, q.text, a))
		bits += q.bits
	}
	bits += math.Log2(float64(len(forms))) + math.Log2(float64(len(t.rules))/float64(t.consistent(questions, answers)))
	return strings.Join(out, "\n"), bits
}

// book writes statements: opposites, feelings, sums and whereabouts, the kept words
// among them.
func book(c chance.Chooser, lines int) (text string, bits float64) {
	names := slices.Concat(people[0], people[1])
	words := slices.Concat(adjectives[0], adjectives[1])
	happenings := slices.Concat(eventWords[0], eventWords[1])
	var out []string
	for range lines {
		bits += 2
		switch c.Below(4) {
		case 0:
			w := choose(c, words)
			out = append(out, fmt.Sprintf("- The opposite of %s is %s.", w, opposite[w]))
			bits += math.Log2(float64(len(words)))
		case 1:
			n, e := choose(c, names), choose(c, happenings)
			out = append(out, fmt.Sprintf("- %s %s and was %s.", n, e, feelingOf[e]))
			bits += math.Log2(float64(len(names))) + eventBits
		case 2:
			a, b := drawSum(c, false)
			out = append(out, fmt.Sprintf("- %s and %s makes %s.", number(a), number(b), number(a+b)))
			bits += math.Log2(float64(sumPairs()))
		case 3:
			n, p := choose(c, names), choose(c, spotWords)
			out = append(out, fmt.Sprintf("- %s is %s.", n, spotsIn[p]))
			bits += math.Log2(float64(len(names))) + math.Log2(float64(len(spotWords)))
		}
	}
	return strings.Join(out, "\n"), bits
}
