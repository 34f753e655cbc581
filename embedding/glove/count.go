package glove

import (
	"math"
	"slices"

	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

// Count counts the co-occurrences in a text: two words of a line at a distance of n ≤ window
// count 1/n, in both orders. tokens are numbers from 0 to words−1, or corpus.LineEnd. For each
// word in turn it calls row with the words that it occurs with, ascending, and their counts;
// both are valid until row returns.
func Count(tokens []int32, words, window int, row func(word int, columns []int32, counts []float64)) {
	places, first := index(tokens, words)
	var batch []*counter
	for word := 0; word < words; {
		// Counters take consecutive words, about as many occurrences each.
		used := 0
		for ; used < counters && word < words; used++ {
			if used == len(batch) {
				batch = append(batch, &counter{tokens: tokens, window: window, sums: make([]float64, words)})
			}
			c := batch[used]
			c.from = word
			for word++; word < words && first[word+1]-first[c.from] <= counterPlaces; {
				word++
			}
			c.to = word
		}
		kernel.Each(used, func(i int) { batch[i].count(places, first) })
		for _, c := range batch[:used] {
			for w := c.from; w < c.to; w++ {
				a, b := c.first[w-c.from], c.first[w-c.from+1]
				row(w, c.columns[a:b], c.counts[a:b])
			}
		}
	}
}

const (
	counters      = 16      // the maximum number that work at the same time
	counterPlaces = 1 << 15 // the maximum of occurrences for a counter of more than one word
)

// index lists the places where each word occurs: those of word w are
// places[first[w]:first[w+1]].
func index(tokens []int32, words int) (places []int32, first []int) {
	first = make([]int, words+1)
	for _, t := range tokens {
		if t >= 0 {
			first[t+1]++
		}
	}
	for w := range words {
		first[w+1] += first[w]
	}
	places = make([]int32, first[words])
	next := append([]int(nil), first...)
	for at, t := range tokens {
		if t >= 0 {
			places[next[t]] = int32(at)
			next[t]++
		}
	}
	return places, first
}

// counter counts the rows of words from to to−1.
type counter struct {
	tokens   []int32
	window   int
	from, to int
	sums     []float64 // [words] the row that is being counted
	seen     []int32   // its columns that aren't 0
	columns  []int32   // of all rows
	counts   []float64 // of all rows
	first    []int     // where in columns and counts each row begins
}

// count counts the rows. Its arguments are what index returns.
func (c *counter) count(places []int32, first []int) {
	c.columns, c.counts, c.first = c.columns[:0], c.counts[:0], append(c.first[:0], 0)
	for w := c.from; w < c.to; w++ {
		for _, at := range places[first[w]:first[w+1]] {
			for _, direction := range [2]int{-1, 1} {
				for n := 1; n <= c.window; n++ {
					i := int(at) + n*direction
					if i < 0 || i >= len(c.tokens) || c.tokens[i] == corpus.LineEnd {
						break
					}
					t := c.tokens[i]
					if c.sums[t] == 0 {
						c.seen = append(c.seen, t)
					}
					c.sums[t] += 1 / float64(n)
				}
			}
		}
		slices.Sort(c.seen)
		for _, t := range c.seen {
			c.columns, c.counts = append(c.columns, t), append(c.counts, c.sums[t])
			c.sums[t] = 0
		}
		c.seen = c.seen[:0]
		c.first = append(c.first, len(c.columns))
	}
}

// Weight returns f(X) = min(1, (X/xMax)^alpha) for the count x: equation 9 of the paper.
func Weight(x, xMax, alpha float64) float64 {
	if x >= xMax {
		return 1
	}
	return math.Pow(x/xMax, alpha)
}
