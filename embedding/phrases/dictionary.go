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
	"unicode"
	"unicode/utf8"

	"tinygpt/embedding/corpus"
	"tinygpt/internal/userfile"
)

// Dictionary is words with their frequencies, by which text without blanks is cut.
type Dictionary struct {
	// costs are −log(frequency/total); prefixes of words that are no words have +Inf, so
	// that a search knows when to end.
	costs map[string]float64
	// unknown is the cost of a character that is no word: of frequency 1.
	unknown float64
}

// ParseDictionary reads a dictionary of jieba's form: lines of a word, its frequency, and
// perhaps a tag, apart by blanks. name is for errors.
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
		total += frequency - frequencies[fields[0]]
		frequencies[fields[0]] = frequency
		return nil
	})
	if err != nil {
		return nil, err
	}
	if total <= 0 {
		return nil, fmt.Errorf("%s: no words with a frequency above 0 in it", name)
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

// Splitter cuts lines into words as "words" of corpus.NewSplitter does, and each run of
// ideographs into words of the dictionary, so that the product of their frequencies is
// largest; of equals the last word is longest. Characters that are no words stand alone.
func (d *Dictionary) Splitter() corpus.Splitter {
	words, err := corpus.NewSplitter("words")
	if err != nil {
		panic(err) // the name is known
	}
	return func(line []byte, word func([]byte)) error {
		for start := 0; start < len(line); {
			r, n := utf8.DecodeRune(line[start:])
			end := start + n
			if !ideograph(r) {
				for end < len(line) {
					r, n := utf8.DecodeRune(line[end:])
					if ideograph(r) {
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
				if !ideograph(r) {
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

func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// cut finds the cheapest way through the words that begin at each place, from the end.
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

// WriteDictionary writes the words of the text that occur at least least times, with
// their counts, in jieba's form, most frequent first.
func (t *Text) WriteDictionary(w io.Writer, least int64) error {
	counts, _ := t.Counts()
	var order []int
	for i, n := range counts {
		if n >= least {
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
