package labelled

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// looksNamed says whether the first row has names: those that c asks for, or what looks
// unlike the cells below it. Each column votes.
func (t *Table) looksNamed(c Columns) bool {
	if t.Named() {
		return true
	}
	if c.byName() {
		return true
	}
	votes := 0
	for i, first := range t.Rows[0].cells {
		var below []string
		for _, row := range t.Rows[1:min(len(t.Rows), 1+sampledRows)] {
			if text := strings.TrimSpace(row.cell(i).text); text != "" {
				below = append(below, text)
			}
		}
		votes += headerVotes(strings.TrimSpace(first.text), below)
		if wellKnown(first.text) {
			votes += 2
		}
	}
	return votes > 0
}

// byName says whether a column is named, rather than numbered.
func (c Columns) byName() bool {
	for _, selector := range slices.Concat([]string{c.Label}, c.Text, c.Second, c.Choices) {
		if first, _, _ := strings.Cut(selector, "-"); selector != "" {
			if _, err := strconv.Atoi(strings.TrimSpace(first)); err != nil {
				return true
			}
		}
	}
	return false
}

const (
	// sampledRows is how many rows tell what a column is like.
	sampledRows = 1000
	// textWidth is the width in letters from which on cells are texts rather than words.
	textWidth = 16
)

// headerVotes says how much a column speaks for its first cell being a name (above 0)
// or a value like those below (below 0). It goes by what every alphabet has: whether
// the cell occurs again, whether the column is numbers, and how long its texts are.
func headerVotes(first string, below []string) int {
	if len(below) == 0 || first == "" {
		return 0
	}
	counts := map[string]int{}
	numbers := 0
	var widths []int
	for _, text := range below {
		counts[text]++
		if isNumber(text) {
			numbers++
		}
		widths = append(widths, uniseg.StringWidth(text))
	}
	slices.Sort(widths)
	width, median := uniseg.StringWidth(first), widths[len(widths)/2]
	classes := len(below) >= 4 && len(counts) <= len(below)/2
	switch {
	case counts[first] > 0:
		return -4
	case numbers == len(below) && isNumber(first):
		return -3
	case numbers == len(below):
		return 4
	case classes:
		return 2
	case median >= textWidth && (2*width < widths[0] || len(strings.Fields(first)) == 1 && fewestWords(below) > 2):
		return 3
	case median >= textWidth && 3*width < median:
		return 1
	case median >= textWidth:
		return -5
	}
	return 0
}

// fewestWords is the number of words of the shortest of some texts.
func fewestWords(texts []string) int {
	fewest := math.MaxInt
	for _, text := range texts {
		fewest = min(fewest, len(strings.Fields(text)))
	}
	return fewest
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	return err == nil
}

// wellKnown says whether a text is the name of a column in well-known data sets.
func wellKnown(text string) bool {
	text = strings.TrimSpace(text)
	known := func(name string) bool { return strings.EqualFold(name, text) }
	for _, list := range [][]string{labelNames, textNames, beforeNames, listNames} {
		if slices.ContainsFunc(list, known) {
			return true
		}
	}
	return slices.ContainsFunc(pairNames, func(p [2]string) bool { return known(p[0]) || known(p[1]) })
}
