package phrases

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/suggest"
)

// Score names a measure of how much two words belong together.
type Score string

// The scores of a pair ab that occurs n times in a text of N words.
const (
	// Mikolov is (n − δ)·N/(count(a)·count(b)), where δ, the minimum count of a phrase, keeps
	// out rare pairs (Mikolov et al. 2013b, equation 6; the factor N is word2phrase's).
	Mikolov Score = "mikolov"
	// NPMI is ln(p(ab)/(p(a)·p(b)))/−ln p(ab): −1 for words that never occur together, 0 for
	// those that do so by chance, 1 for those that never occur apart (Bouma 2009, Normalized
	// Pointwise Mutual Information).
	NPMI Score = "npmi"
)

// Options say which pairs are joined.
type Options struct {
	Score Score
	// Threshold is the minimum score of a pair that is joined.
	Threshold float64
	// MinCount is its minimum count, and the δ of Mikolov's score.
	MinCount int64
	// Joiner is put between the two words, unless ideographs meet there.
	Joiner string
}

// join returns the phrase of two words.
func (o Options) join(a, b string) string {
	last, _ := utf8.DecodeLastRuneInString(a)
	first, _ := utf8.DecodeRuneInString(b)
	if corpus.Ideograph(last) && corpus.Ideograph(first) {
		return a + b
	}
	return a + o.Joiner + b
}

// DefaultThreshold returns word2phrase's threshold for Mikolov's score, and for NPMI half the
// way from chance to words that never occur apart.
func DefaultThreshold(s Score) float64 {
	if s == NPMI {
		return 0.5
	}
	return 100
}

// Validate returns an error that names the first option that can't be used.
func (o Options) Validate() error {
	switch {
	case o.Score != Mikolov && o.Score != NPMI:
		return fmt.Errorf("score %q: %s", o.Score, suggest.Expected(o.Score, Mikolov, NPMI))
	case math.IsNaN(o.Threshold) || o.Score == NPMI && (o.Threshold <= -1 || o.Threshold > 1) || o.Score == Mikolov && o.Threshold <= 0:
		return fmt.Errorf("threshold %v for score %s: expected for npmi a number above −1 and at most 1, for mikolov one above 0", o.Threshold, o.Score)
	case o.MinCount < 1:
		return fmt.Errorf("minimum count %d: expected 1 or more", o.MinCount)
	}
	return nil
}

// Phrase is a pair that was joined.
type Phrase struct {
	Text string `json:"phrase"`
	// Count is how often the pair occurs. Fewer are joined where pairs overlap: a a a has the
	// pair a a twice, and one of them is joined.
	Count int64   `json:"count"`
	Score float64 `json:"score"`
}

// maxPairs is the maximum number of different pairs that are counted, about two gigabytes.
// When there are more, rare ones are forgotten, as in word2phrase.
const maxPairs = 50_000_000

// Join finds the pairs of words that the options ask for and joins them, in each line from left
// to right. It returns the phrases, those with the largest score first. A second call joins
// phrases to longer ones. An error is one of Validate.
func (t *Text) Join(o Options) ([]Phrase, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	counts, total := t.Counts()
	pairs := t.pairs()
	var found []Phrase
	joined := map[uint64]int32{}
	for pair, n := range pairs {
		if n < o.MinCount {
			continue
		}
		a, b := int32(pair>>32), int32(uint32(pair))
		score := o.Score.of(n, counts[a], counts[b], total, o.MinCount)
		if score < o.Threshold {
			continue
		}
		found = append(found, Phrase{o.join(t.words[a], t.words[b]), n, score})
		joined[pair] = 0
	}
	slices.SortFunc(found, func(a, b Phrase) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	to := t.tokens[:0]
	for i := 0; i < len(t.tokens); i++ {
		if a := t.tokens[i]; a >= 0 && t.tokens[i+1] >= 0 {
			pair := pairOf(a, t.tokens[i+1])
			if id, ok := joined[pair]; ok {
				if id == 0 { // the first one
					id = t.id(o.join(t.words[a], t.words[t.tokens[i+1]]))
					joined[pair] = id
				}
				to = append(to, id)
				i++
				continue
			}
		}
		to = append(to, t.tokens[i])
	}
	t.tokens = to
	return found, nil
}

func pairOf(a, b int32) uint64 { return uint64(a)<<32 | uint64(uint32(b)) }

// pairs counts the pairs of neighbours, within lines.
func (t *Text) pairs() map[uint64]int64 {
	pairs := map[uint64]int64{}
	rare := int64(1)
	for i, a := range t.tokens {
		if a < 0 || t.tokens[i+1] < 0 {
			continue
		}
		pairs[pairOf(a, t.tokens[i+1])]++
		for len(pairs) > maxPairs {
			for p, n := range pairs {
				if n <= rare {
					delete(pairs, p)
				}
			}
			rare++
		}
	}
	return pairs
}

// of returns the score of a pair that occurs n times, in a text of total words in which its
// words occur a and b times.
func (s Score) of(n, a, b, total, minCount int64) float64 {
	if s == Mikolov {
		return float64(n-minCount) * float64(total) / float64(a) / float64(b)
	}
	p := float64(n) / float64(total)
	if p >= 1 {
		return 1
	}
	return math.Log(p/(float64(a)/float64(total))/(float64(b)/float64(total))) / -math.Log(p)
}
