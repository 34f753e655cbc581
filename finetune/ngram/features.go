// Package ngram has features of an example's words and their neighbours, which ignore the order
// of words that are further apart: for texts, words and pairs of words with tf-idf weights; for
// tags, the word's neighbours and spelling. A linear model over them (package linear) is the
// simple alternative to a language model. This package also reads and writes its file.
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
	// rows is the number of rows of the training examples, counts[i] that of rows which have
	// grams[i].
	rows   int
	grams  []string
	counts []int

	numbers map[string]int
	idf     []float64
}

// grams lists the n-grams of each of an example's rows.
func grams(kind labelled.Kind, e labelled.Example) (rows [][]string) {
	switch kind {
	case labelled.Tagged:
		for i := range e.Tokens {
			rows = append(rows, window(e.Tokens, i))
		}
	case labelled.Choice:
		// The context, which all choices share, wouldn't change their differences.
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

// ngrams lists the words of a text and its pairs of neighbours, each with the prefix before.
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

// Split returns the words and numbers of a text, in lower case, with every other mark by itself,
// and every character of scripts without spaces.
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

// window lists the features of word i for its tag: the word, its spelling, and its neighbours.
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

// shape returns how a word is written: X for capitals, x for other letters, 0 for digits, other
// characters as they are, with repeated ones once.
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

// Learn returns the vocabulary of the training examples.
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

// index computes numbers and idf from the n-grams and their counts. idf is the weight of an
// n-gram in tf-idf (Spärck Jones 1972), in the smoothed form log((1+n)/(1+n_g)) + 1 for n rows
// of which n_g have it.
func (v *Vocabulary) index() {
	v.numbers = make(map[string]int, len(v.grams))
	v.idf = make([]float64, len(v.grams))
	for i, g := range v.grams {
		v.numbers[g] = i
		v.idf[i] = math.Log((1+float64(v.rows))/(1+float64(v.counts[i]))) + 1
	}
}

// Size returns the number of n-grams.
func (v *Vocabulary) Size() int { return len(v.grams) }

// Rows returns the rows of an example, without n-grams that the training examples don't have.
// Rows of texts are tf-idf vectors of length 1, so that long and short texts count the same;
// those of words have a 1 for each n-gram.
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
