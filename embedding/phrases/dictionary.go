package phrases

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/userfile"
)

// Dictionary holds words with their frequencies, by which text without blanks is cut.
type Dictionary struct {
	// costs are −log(frequency/total). Prefixes of words that aren't words themselves have
	// +Inf: a search ends at the first string that isn't in the map.
	costs map[string]float64
	// unknown is the cost of a character that isn't a word: that of frequency 1.
	unknown float64
}

// longestWord bounds the bytes of a dictionary's word, of which each beginning is looked up.
const longestWord = 1000

// ParseDictionary reads a dictionary in jieba's format: in each line a word, its frequency, and
// perhaps a tag, separated by blanks. Of a word's several lines the last one counts. Errors
// begin with name and the line.
func ParseDictionary(r io.Reader, name string) (*Dictionary, error) {
	frequencies := map[string]float64{}
	var total float64
	err := userfile.EachLine(r, name, func(n int, line []byte) error {
		fields := strings.Fields(string(line))
		frequency, err := 0.0, error(nil)
		if len(fields) > 1 {
			frequency, err = strconv.ParseFloat(fields[1], 64)
		}
		if len(fields) < 2 || len(fields) > 3 || err != nil || !(frequency >= 0) || math.IsInf(frequency, 0) || !utf8.ValidString(fields[0]) {
			return fmt.Errorf("%s, line %d: found %q: expected a word, its frequency, and perhaps a tag", name, n, line)
		}
		if len(fields[0]) > longestWord {
			return fmt.Errorf("%s, line %d: a word of %d bytes: expected up to %d", name, n, len(fields[0]), longestWord)
		}
		total += frequency - frequencies[fields[0]]
		frequencies[fields[0]] = frequency
		return nil
	})
	if err != nil {
		return nil, err
	}
	if math.IsInf(total, 0) || math.IsNaN(total) {
		return nil, fmt.Errorf("%s: the sum of the frequencies is too large", name)
	}
	if total <= 0 {
		return nil, fmt.Errorf("%s: no words with a frequency above 0: expected lines of a word, its frequency, and perhaps a tag", name)
	}
	d := &Dictionary{costs: map[string]float64{}, unknown: math.Log(max(total, 1))}
	for word, f := range frequencies {
		for end := range word {
			if _, ok := d.costs[word[:end]]; !ok && end > 0 {
				d.costs[word[:end]] = math.Inf(1)
			}
		}
		d.costs[word] = math.Log(total) - math.Log(f) // +Inf for 0
	}
	return d, nil
}

// Splitter returns a splitter that cuts lines as "words" of corpus.NewSplitter does, but each
// run of ideographs into words of the dictionary, so that the product of their frequencies is
// largest; of equal products it takes the one with the longest first word. Characters that
// aren't part of such a word are words of their own.
func (d *Dictionary) Splitter() corpus.Splitter {
	words, err := corpus.NewSplitter("words")
	if err != nil {
		panic(err) // the name is known
	}
	return func(line []byte, word func([]byte)) error {
		for start := 0; start < len(line); {
			r, n := utf8.DecodeRune(line[start:])
			end := start + n
			if !corpus.Ideograph(r) {
				for end < len(line) {
					r, n := utf8.DecodeRune(line[end:])
					if corpus.Ideograph(r) {
						break
					}
					end += n
				}
				if err := words(line[start:end], word); err != nil {
					return err
				}
				start = end
				continue
			}
			for end < len(line) {
				r, n := utf8.DecodeRune(line[end:])
				if !corpus.Ideograph(r) {
					break
				}
				end += n
			}
			d.cut(string(line[start:end]), func(w string) { word([]byte(w)) })
			start = end
		}
		return nil
	}
}

// cut calls word for the words of the cheapest way to cut a run of ideographs: it finds the
// cheapest way for the rest of the run from each place on, beginning at the end.
func (d *Dictionary) cut(run string, word func(string)) {
	type step struct {
		cost float64
		end  int
	}
	best := make([]step, len(run)+1)
	for start := len(run) - 1; start >= 0; start-- {
		if !utf8.RuneStart(run[start]) {
			continue
		}
		best[start].cost = math.Inf(1)
		for end := start; end < len(run); {
			_, n := utf8.DecodeRuneInString(run[end:])
			single := end == start
			end += n
			cost, ok := d.costs[run[start:end]]
			if single && (!ok || math.IsInf(cost, 1)) {
				cost = d.unknown
			}
			if cost += best[end].cost; (ok || single) && cost <= best[start].cost && !math.IsInf(cost, 1) {
				best[start] = step{cost, end}
			}
			if !ok {
				break
			}
		}
	}
	for start := 0; start < len(run); start = best[start].end {
		word(run[start:best[start].end])
	}
}

// WriteDictionary writes the words of the text that occur at least minCount times, with their
// counts, in jieba's format (see ParseDictionary), most frequent first. Words that ParseDictionary
// wouldn't take are left out.
func (t *Text) WriteDictionary(w io.Writer, minCount int64) error {
	counts, _ := t.Counts()
	var order []int
	for i, n := range counts {
		if n >= minCount && len(t.words[i]) <= longestWord {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(t.words[a], t.words[b]))
	})
	out := bufio.NewWriter(w)
	for _, i := range order {
		fmt.Fprintf(out, "%s %d\n", t.words[i], counts[i])
	}
	return out.Flush()
}
