// Package ngram makes features of the words of an example and of their neighbours, without
// the order of what is further apart: tf-idf weighted words and pairs for texts, for tags the
// word's neighbours and spelling. A linear model over them (package linear) is what one would
// take instead of a language model, and its file is read and written here.
package ngram

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
)

// Vocabulary numbers the n-grams of the training examples, in the order of their bytes. It
// is a linear.Features.
type Vocabulary struct {
	// kind is what the examples consist of.
	kind labelled.Kind
	// rows is how many rows the training examples have, counts how many of them have each
	// n-gram.
	rows   int
	grams  []string
	counts []int

	numbers map[string]int
	idf     []float64
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
	words := Split(text)
	for i, w := range words {
		out = append(out, before+w)
		if i > 0 {
			out = append(out, before+words[i-1]+" "+w)
		}
	}
	return out
}

// Split cuts a text in lower case into words, numbers, single marks, and single
// characters of scripts without spaces.
func Split(text string) (out []string) {
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

// Learn numbers the n-grams of the training examples.
func Learn(kind labelled.Kind, examples []labelled.Example) *Vocabulary {
	v := &Vocabulary{kind: kind}
	having := map[string]int{}
	for _, e := range examples {
		for _, list := range grams(kind, e) {
			v.rows++
			slices.Sort(list)
			for _, g := range slices.Compact(list) {
				having[g]++
			}
		}
	}
	v.grams = slices.Sorted(maps.Keys(having))
	for _, g := range v.grams {
		v.counts = append(v.counts, having[g])
	}
	v.index()
	return v
}

// index makes what follows from the n-grams and their counts. Each is weighed by how rare it
// is: tf-idf (Spärck Jones 1972), in the smoothed form log((1+n)/(1+n_g)) + 1 over n rows of
// which n_g have it.
func (v *Vocabulary) index() {
	v.numbers = make(map[string]int, len(v.grams))
	v.idf = make([]float64, len(v.grams))
	for i, g := range v.grams {
		v.numbers[g] = i
		v.idf[i] = math.Log((1+float64(v.rows))/(1+float64(v.counts[i]))) + 1
	}
}

// Size is the number of n-grams.
func (v *Vocabulary) Size() int { return len(v.grams) }

// Rows are the features of an example's rows; n-grams that training never saw are left out.
// Rows of texts have length 1, as texts of any length are to count the same.
func (v *Vocabulary) Rows(e labelled.Example) (out []linear.Row) {
	unit := v.kind != labelled.Tagged
	for _, list := range grams(v.kind, e) {
		counts := map[int]float64{}
		for _, g := range list {
			if i, known := v.numbers[g]; known {
				counts[i]++
			}
		}
		r := make(linear.Row, 0, len(counts))
		for i, n := range counts {
			value := 1.0
			if unit {
				value = n * v.idf[i]
			}
			r = append(r, linear.Entry{Feature: i, Value: value})
		}
		slices.SortFunc(r, func(a, b linear.Entry) int { return a.Feature - b.Feature })
		if unit {
			var square float64
			for _, x := range r {
				square += x.Value * x.Value
			}
			for i := range r {
				r[i].Value /= math.Sqrt(square)
			}
		}
		out = append(out, r)
	}
	return out
}
