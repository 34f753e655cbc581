package baseline

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"tinygpt/data/labelled"
)

// entry is a feature that a row has, and how much of it.
type entry struct {
	feature int
	value   float64
}

// features turns examples into rows.
type features interface {
	// size is how many features there are.
	size(kind labelled.Kind) int
	// rows are those of an example: one, or one for each choice or word.
	rows(kind labelled.Kind, e labelled.Example) []row
}

// row is what one score is computed from: an example, a choice, or a word.
type row []entry

// vocabulary numbers the n-grams of the training examples.
type vocabulary struct {
	numbers map[string]int
	idf     []float64
	// unit scales rows to length 1, as texts of any length are to count the same.
	unit bool
}

// grams lists the n-grams of an example's rows.
func grams(kind labelled.Kind, e labelled.Example) (rows [][]string) {
	switch kind {
	case labelled.Tagged:
		for i := range e.Tokens {
			rows = append(rows, window(e.Tokens, i))
		}
	case labelled.Choice:
		// What all choices have in common, the context, changes nothing.
		for _, c := range e.Choices {
			rows = append(rows, ngrams("", c))
		}
	case labelled.Pair:
		rows = [][]string{append(ngrams("1 ", e.Texts[0]), ngrams("2 ", e.Texts[1])...)}
	default:
		rows = [][]string{ngrams("", e.Texts[0])}
	}
	return rows
}

// ngrams lists the words of a text and its pairs of neighbours, with what goes before
// each.
func ngrams(before, text string) (out []string) {
	words := split(text)
	for i, w := range words {
		out = append(out, before+w)
		if i > 0 {
			out = append(out, before+words[i-1]+" "+w)
		}
	}
	return out
}

// split cuts a text in lower case into words, numbers, single marks, and single
// characters of scripts without spaces.
func split(text string) (out []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			out = append(out, string(word))
			word = nil
		}
	}
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			end()
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			word = append(word, r)
		default:
			end()
			if !unicode.IsSpace(r) {
				out = append(out, string(r))
			}
		}
	}
	end()
	return out
}

// window is what tells a word's tag: the word, how it is written, and its neighbours.
func window(tokens []string, i int) []string {
	at := func(j int) string {
		if j < 0 || j >= len(tokens) {
			return ""
		}
		return strings.ToLower(tokens[j])
	}
	runes := []rune(at(i))
	end := string(runes[max(0, len(runes)-3):])
	return []string{
		"word " + at(i), "end " + end, "shape " + shape(tokens[i]), "before " + at(i-1), "after " + at(i+1),
		"pair " + at(i-1) + " " + at(i), "next " + at(i) + " " + at(i+1),
	}
}

// shape is a word with capitals, small letters and digits each as one sign, repeated
// ones once.
func shape(word string) string {
	var out []rune
	for _, r := range word {
		switch {
		case unicode.IsUpper(r):
			r = 'X'
		case unicode.IsLetter(r):
			r = 'x'
		case unicode.IsDigit(r):
			r = '0'
		}
		if len(out) == 0 || out[len(out)-1] != r {
			out = append(out, r)
		}
	}
	return string(out)
}

// learn numbers the n-grams and weighs each by how rare it is: tf-idf (Spärck Jones
// 1972), in the smoothed form log((1+n)/(1+n_g)) + 1 over n rows of which n_g have it.
func learn(kind labelled.Kind, examples []labelled.Example) *vocabulary {
	v := &vocabulary{numbers: map[string]int{}, unit: kind != labelled.Tagged}
	var having []float64
	var rows float64
	for _, e := range examples {
		for _, list := range grams(kind, e) {
			rows++
			slices.Sort(list)
			for _, g := range slices.Compact(list) {
				i, known := v.numbers[g]
				if !known {
					i = len(having)
					v.numbers[g] = i
					having = append(having, 0)
				}
				having[i]++
			}
		}
	}
	for _, n := range having {
		v.idf = append(v.idf, math.Log((1+rows)/(1+n))+1)
	}
	return v
}

func (v *vocabulary) size(labelled.Kind) int { return len(v.numbers) }

// rows are the features of an example's rows; n-grams that training never saw are left
// out.
func (v *vocabulary) rows(kind labelled.Kind, e labelled.Example) (out []row) {
	for _, list := range grams(kind, e) {
		counts := map[int]float64{}
		for _, g := range list {
			if i, known := v.numbers[g]; known {
				counts[i]++
			}
		}
		r := make(row, 0, len(counts))
		for i, n := range counts {
			value := 1.0
			if v.unit {
				value = n * v.idf[i]
			}
			r = append(r, entry{i, value})
		}
		slices.SortFunc(r, func(a, b entry) int { return a.feature - b.feature })
		if v.unit {
			var square float64
			for _, x := range r {
				square += x.value * x.value
			}
			for i := range r {
				r[i].value /= math.Sqrt(square)
			}
		}
		out = append(out, r)
	}
	return out
}
