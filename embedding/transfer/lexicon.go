package transfer

import (
	"math"
	"math/rand/v2"
	"strings"

	"tinygpt/embedding"
)

// unknown is the row of unknown words and suffixes. Row 0 is for places before and after the
// sentence, the words' own rows begin at 2.
const unknown = 1

// lexicon has the rows of words and suffixes in their tables, and the numbers of tags.
type lexicon struct {
	start    Start
	words    map[string]int32
	rare     map[int32]bool // only of Random: rows of words that occur once, see row
	suffixes map[string]int32
	tags     []string
	tagIndex map[string]int32
}

// newLexicon collects the words, suffixes and tags of the sentences, and returns the word table
// [rows, D]. With given vectors it has the words of all sets that have a vector; with random
// ones, which only training makes useful, the words of the training sentences.
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
		eachWord(sets.Train, func(w string) {
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
			eachWord(set, func(w string) {
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
	eachWord(sets.Train, func(w string) {
		if x := suffixOf(w); suffixes[x] > 1 && l.suffixes[x] == 0 {
			l.suffixes[x] = int32(2 + len(l.suffixes))
		}
	})
	return l, table
}

// tag gives a tag a number unless it has one.
func (l *lexicon) tag(tag string) {
	if _, ok := l.tagIndex[tag]; !ok {
		l.tagIndex[tag] = int32(len(l.tags))
		l.tags = append(l.tags, tag)
	}
}

// eachWord calls f for each word of the sentences, in order.
func eachWord(set []Sentence, f func(word string)) {
	for _, s := range set {
		for _, w := range s.Words {
			f(w)
		}
	}
}

// tableDeviation is the standard deviation of the word table's numbers at the start.
const tableDeviation = 0.3

// rescale scales the numbers so that the root mean square of those that aren't 0 is
// tableDeviation.
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

// row returns the row of a word. In training (training isn't nil), a word that occurs once is
// taken for unknown half of the time with random vectors, so that the unknown row is trained.
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
