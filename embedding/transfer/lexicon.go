package transfer

import (
	"math"
	"math/rand/v2"
	"strings"

	"tinygpt/embedding"
)

// Rows of the word table that are no word's.
const (
	outside = 0 // before and after the sentence
	unknown = 1
)

// lexicon knows the rows of words, suffixes and tags.
type lexicon struct {
	start    Start
	words    map[string]int32
	rare     map[int32]bool // words of Random that occur once: half of the time they are unknown
	suffixes map[string]int32
	tags     []string
	tagIndex map[string]int32
}

// newLexicon collects what there is in the sentences. Given vectors bring all words that
// the sets have; random ones those of the training sentences, the only ones that learn.
func newLexicon(start Start, v *embedding.Vectors, sets Sets) (l *lexicon, table []float32) {
	l = &lexicon{start: start, words: map[string]int32{}, rare: map[int32]bool{}, suffixes: map[string]int32{}, tagIndex: map[string]int32{}}
	counts, suffixes := map[string]int{}, map[string]int{}
	l.tag("O")
	for _, s := range sets.Train {
		for i, w := range s.Words {
			counts[strings.ToLower(w)]++
			suffixes[suffixOf(w)]++
			l.tag(s.Tags[i])
			if kind, ok := strings.CutPrefix(s.Tags[i], "B-"); ok {
				l.tag("I-" + kind)
			}
		}
	}
	table = make([]float32, 2*v.Dim)
	if start == Random {
		l.eachWord(sets.Train, func(w string) {
			w = strings.ToLower(w)
			if _, ok := l.words[w]; !ok {
				row := int32(2 + len(l.words))
				l.words[w] = row
				l.rare[row] = counts[w] == 1
				table = append(table, make([]float32, v.Dim)...)
			}
		})
	} else {
		index := v.Index()
		for _, set := range [][]Sentence{sets.Train, sets.Dev, sets.Test} {
			l.eachWord(set, func(w string) {
				if _, ok := l.words[w]; ok {
					return
				}
				at, ok := index[w]
				if !ok {
					at, ok = index[strings.ToLower(w)]
				}
				if ok {
					l.words[w] = int32(len(table) / v.Dim)
					table = append(table, v.Row(at)...)
				}
			})
		}
		rescale(table)
	}
	l.eachWord(sets.Train, func(w string) {
		if x := suffixOf(w); suffixes[x] > 1 && l.suffixes[x] == 0 {
			l.suffixes[x] = int32(2 + len(l.suffixes))
		}
	})
	return l, table
}

func (l *lexicon) tag(tag string) {
	if _, ok := l.tagIndex[tag]; !ok {
		l.tagIndex[tag] = int32(len(l.tags))
		l.tags = append(l.tags, tag)
	}
}

func (l *lexicon) eachWord(set []Sentence, f func(word string)) {
	for _, s := range set {
		for _, w := range s.Words {
			f(w)
		}
	}
}

// tableDeviation is that of the word table's numbers at first.
const tableDeviation = 0.3

// rescale brings the deviation of the numbers to tableDeviation.
func rescale(table []float32) {
	var squares float64
	n := 0
	for _, x := range table {
		if x != 0 {
			squares += float64(x) * float64(x)
			n++
		}
	}
	if squares == 0 {
		return
	}
	scale := float32(tableDeviation / math.Sqrt(squares/float64(n)))
	for i := range table {
		table[i] *= scale
	}
}

// row returns that of a word. In training, a word that Random has seen once only is
// unknown half of the time, so that it learns what to make of unknown ones.
func (l *lexicon) row(word string, training *rand.Rand) int32 {
	if l.start == Random {
		word = strings.ToLower(word)
	}
	row, ok := l.words[word]
	if !ok || training != nil && l.rare[row] && training.IntN(2) == 0 {
		return unknown
	}
	return row
}

// suffix returns the row of a word's suffix.
func (l *lexicon) suffix(word string) int32 {
	if row, ok := l.suffixes[suffixOf(word)]; ok {
		return row
	}
	return unknown
}
