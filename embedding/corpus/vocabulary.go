package corpus

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// Vocabulary is the words that get vectors, most frequent first; equally frequent ones in
// the order of their first occurrence.
type Vocabulary struct {
	Words  []string
	Counts []int64 // occurrences in the text
	Total  int64   // sum of Counts

	// RemovedWords is the number of words that were left out, because they occur fewer than
	// MinCount times or because the vocabulary was full; Removed is their occurrences.
	MinCount     int
	RemovedWords int
	Removed      int64
}

// Text is a text as numbers of words of a vocabulary.
type Text struct {
	Vocabulary *Vocabulary
	// Tokens are the words in order, without those that the vocabulary leaves out; LineEnd
	// after each line that has a word.
	Tokens Sequence
}

// LineEnd is between the lines of a Text. No window reaches beyond it.
const LineEnd = -1

// Builder collects the words of a text in one pass. It keeps the different words and a
// Sequence of their numbers, not the text itself.
type Builder struct {
	split  Splitter
	ids    map[string]int32 // in the order of first occurrence
	words  []string
	counts []int64
	tokens Sequence
}

// segmentsPerFree is after how many segments their memory is given back to the system.
const segmentsPerFree = 128

// NewBuilder returns an empty builder that cuts lines with split.
func NewBuilder(split Splitter) *Builder {
	return &Builder{split: split, ids: map[string]int32{}}
}

// Add adds a line. Its error is the splitter's.
func (b *Builder) Add(line []byte) error {
	before := b.tokens.Len()
	err := b.split(line, func(word []byte) {
		id, known := b.ids[string(word)]
		if !known {
			id = int32(len(b.words))
			w := string(word)
			b.ids[w] = id
			b.words, b.counts = append(b.words, w), append(b.counts, 0)
		}
		b.counts[id]++
		b.tokens.push(id)
	})
	if b.tokens.Len() > before {
		b.tokens.push(LineEnd)
	}
	return err
}

// AddText adds the lines of a text, without their ends.
func (b *Builder) AddText(text string) error {
	for line := range strings.Lines(text) {
		if err := b.Add([]byte(strings.TrimRight(line, "\r\n"))); err != nil {
			return err
		}
	}
	return nil
}

// kept returns how many words occur at least minCount times, and their occurrences.
func (b *Builder) kept(minCount int) (words int, tokens int64) {
	for _, n := range b.counts {
		if n >= int64(minCount) {
			words++
			tokens += n
		}
	}
	return words, tokens
}

// Smallest is the number of words below which a vocabulary is refused unless it is forced.
const Smallest = 50

// Text ends the building: it returns the text with the words that occur at least minCount
// times, at most maxWords of them (0: no limit). No words at all, or unless force is set fewer
// than Smallest, are an error that says what other counts would keep.
func (b *Builder) Text(minCount, maxWords int, force bool) (*Text, error) {
	v := &Vocabulary{MinCount: minCount}
	order := make([]int32, 0, len(b.words))
	for id, n := range b.counts {
		if n >= int64(minCount) {
			order = append(order, int32(id))
		}
	}
	if len(order) == 0 || len(order) < Smallest && !force {
		return nil, b.tooSmall(minCount, len(order))
	}
	slices.SortStableFunc(order, func(x, y int32) int { return cmp.Compare(b.counts[y], b.counts[x]) })
	if maxWords > 0 {
		order = order[:min(maxWords, len(order))]
	}
	renumbered := make([]int32, len(b.words))
	for i := range renumbered {
		renumbered[i] = removed
	}
	all := int64(0)
	for _, n := range b.counts {
		all += n
	}
	for i, id := range order {
		renumbered[id] = int32(i)
		v.Words, v.Counts = append(v.Words, b.words[id]), append(v.Counts, b.counts[id])
		v.Total += b.counts[id]
	}
	v.RemovedWords, v.Removed = len(b.words)-len(order), all-v.Total
	return &Text{v, b.renumber(renumbered)}, nil
}

// removed is the new number of a word that the vocabulary leaves out.
const removed = -2

// renumber returns the tokens with to[id] in place of each id, without those that are removed
// and lines that have lost all their words. It frees the builder's memory.
func (b *Builder) renumber(to []int32) (kept Sequence) {
	b.ids, b.words = nil, nil
	last := int32(LineEnd)
	segment := 0
	b.tokens.Blocks(func(tokens []int32) bool {
		for _, t := range tokens {
			if t != LineEnd {
				if t = to[t]; t == removed {
					continue
				}
			} else if last == LineEnd {
				continue
			}
			kept.push(t)
			last = t
		}
		b.tokens.segments[segment] = nil
		if segment++; segment%segmentsPerFree == 0 {
			debug.FreeOSMemory()
		}
		return true
	})
	b.tokens = Sequence{}
	debug.FreeOSMemory()
	return kept
}

func (b *Builder) tooSmall(minCount, words int) error {
	var keeps []string
	for _, n := range []int{1, 2, 5} {
		words, tokens := b.kept(n)
		keeps = append(keeps, fmt.Sprintf("%d keeps %d words (%d tokens)", n, words, tokens))
	}
	lower := ""
	if minCount > 1 {
		lower = "lower it, "
	}
	return fmt.Errorf("the vocabulary has %d words with min_count %d, expected %d or more for vectors that mean something: min_count %s; %sgive more text, or go on with --force",
		words, minCount, Smallest, strings.Join(keeps, ", "), lower)
}

// Split cuts off about the last fraction of the tokens as held-out text, after the end of a
// line. A text whose last line is longer than that is cut inside the line.
func (t *Text) Split(fraction float64) (training, heldOut Sequence) {
	size := t.Tokens.Len()
	at := size - int(float64(size)*fraction)
	cut, place := at, at
	t.Tokens.Part(at, size).Blocks(func(tokens []int32) bool {
		i := slices.Index(tokens, LineEnd)
		if i >= 0 && place+i < size-1 {
			cut = place + i + 1
		}
		place += len(tokens)
		return i < 0
	})
	return t.Tokens.Part(0, cut), t.Tokens.Part(cut, size)
}
