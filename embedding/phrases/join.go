package phrases

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tinygpt/internal/suggest"
)

// Score is how the belonging together of a pair is measured.
type Score string

// The scores of a pair ab that occurs n times in a text of N words.
const (
	// Mikolov is (n − δ)·N/(count(a)·count(b)), where δ, the least count of a phrase, keeps
	// out rare pairs (Mikolov et al. 2013b, equation 6; N is word2phrase's).
	Mikolov Score = "mikolov"
	// NPMI is ln(p(ab)/(p(a)·p(b)))/−ln p(ab), from −1, never together, over 0, by chance,
	// to 1, never apart (Bouma 2009, Normalized Pointwise Mutual Information).
	NPMI Score = "npmi"
)

// Options say which pairs are joined.
type Options struct {
	Score Score
	// Threshold is the least score, and MinCount, δ, the least count.
	Threshold float64
	MinCount  int64
	// Joiner is put between the two, unless both are of ideographs.
	Joiner string
}

func (o Options) join(a, b string) string {
	last, _ := utf8.DecodeLastRuneInString(a)
	first, _ := utf8.DecodeRuneInString(b)
	if ideograph(last) && ideograph(first) {
		return a + b
	}
	return a + o.Joiner + b
}

// DefaultThreshold is word2phrase's of Mikolov's score, and of NPMI half the way to words
// that are never apart.
func DefaultThreshold(s Score) float64 {
	if s == NPMI {
		return 0.5
	}
	return 100
}

// Validate checks the options.
func (o Options) Validate() error {
	switch {
	case o.Score != Mikolov && o.Score != NPMI:
		return fmt.Errorf("score %q: %s", o.Score, suggest.Expected(o.Score, Mikolov, NPMI))
	case math.IsNaN(o.Threshold) || o.Score == NPMI && (o.Threshold <= -1 || o.Threshold > 1) || o.Score == Mikolov && o.Threshold <= 0:
		return fmt.Errorf("threshold %v of score %s: expected a number from −1 to 1 of npmi, above 0 of mikolov", o.Threshold, o.Score)
	case o.MinCount < 1:
		return fmt.Errorf("minimum count %d: expected 1 or more", o.MinCount)
	}
	return nil
}

// Phrase is a pair that was joined.
type Phrase struct {
	Text string `json:"phrase"`
	// Count is how often the pair occurs; of overlapping ones like a in a a a, joining
	// takes fewer.
	Count int64   `json:"count"`
	Score float64 `json:"score"`
}

// maxPairs bounds how many different pairs are counted at a time: about two gigabytes.
// When there are more, rare ones are forgotten, as in word2phrase.
const maxPairs = 50_000_000

// Join finds the phrases of the text and joins them, each line from left to right. It
// returns them with the largest score first. Joined again, the text gets phrases of more
// words.
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

// pairs counts neighbours within lines.
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

// of computes the score of a pair that occurs n times, from the counts of its words.
func (s Score) of(n, a, b, total, least int64) float64 {
	if s == Mikolov {
		return float64(n-least) * float64(total) / float64(a) / float64(b)
	}
	p := float64(n) / float64(total)
	if p >= 1 {
		return 1
	}
	return math.Log(p/(float64(a)/float64(total))/(float64(b)/float64(total))) / -math.Log(p)
}
