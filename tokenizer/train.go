package tokenizer

import (
	"fmt"
	"iter"
	"math"
	"slices"
)

const (
	minVocab = 257     // the 256 bytes and the end of text
	maxVocab = 1 << 24 // far above any in use: more is a slip of the keyboard
)

// TrainOption changes a default of TrainBPE.
type TrainOption func(*trainConfig)

type trainConfig struct {
	minCount int64
	special  []string
	counted  func(bytes int)
	progress func(done, total int)
}

// MinCount sets how often a pair must occur to be merged; the default is 2. With
// 1, a small text is learnt by heart, words that occur once included.
func MinCount(n int) TrainOption {
	return func(c *trainConfig) { c.minCount = max(1, int64(n)) }
}

// SpecialTokens adds special tokens after the end of text; see WithSpecialTokens.
func SpecialTokens(names ...string) TrainOption {
	return func(c *trainConfig) { c.special = append(c.special, names...) }
}

// Counted calls f with the number of bytes of the corpus that have been handed out to
// be counted, about every 128 KiB, on the goroutine that called TrainBPE.
func Counted(f func(bytes int)) TrainOption {
	return func(c *trainConfig) { c.counted = f }
}

// Progress calls f after every merge with the number of merges done and the number
// asked for, on the goroutine that called TrainBPE.
func Progress(f func(done, total int)) TrainOption {
	return func(c *trainConfig) { c.progress = f }
}

// TrainBPE learns byte-level BPE from the texts of corpus (Sennrich et al. 2016,
// algorithm 1, on bytes): starting from the 256 bytes, the most frequent pair of
// neighbouring tokens becomes a token, again and again. Among pairs that are equally
// frequent the one with the lower ids wins, left before right. The merges are
// those of Hugging Face's BpeTrainer on the same texts.
//
// The vocabulary has vocabSize tokens, special ones included, or fewer where
// the corpus has no pair left that occurs often enough: VocabSize tells. A
// corpus that is empty or not UTF-8, and a vocabSize below 257 or above 2^24, are
// errors.
func TrainBPE(corpus iter.Seq[string], vocabSize int, options ...TrainOption) (Tokenizer, error) {
	config := trainConfig{minCount: 2, counted: func(int) {}, progress: func(int, int) {}}
	for _, o := range options {
		o(&config)
	}
	least := minVocab + len(config.special)
	if vocabSize < least {
		return nil, fmt.Errorf("a vocabulary of %d tokens is too small for byte-level BPE: it needs %d or more (256 bytes, the end of text%s, and the merges)", vocabSize, least, orSpecial(len(config.special)))
	}
	if vocabSize > maxVocab {
		return nil, fmt.Errorf("a vocabulary of %d tokens is too large: the maximum is %d", vocabSize, maxVocab)
	}
	words, err := countWords(corpus, config.counted)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, errEmptyCorpus
	}
	t, err := newTrainer(words)
	if err != nil {
		return nil, err
	}
	total := vocabSize - least
	var merges [][2]int32
	for len(merges) < total {
		p, ok := t.best(config.minCount)
		if !ok {
			break
		}
		t.merge(p, int32(256+len(merges)))
		merges = append(merges, p)
		config.progress(len(merges), total)
	}
	tok, err := newBPE(tokensOf(merges))
	if err != nil {
		return nil, err
	}
	return WithSpecialTokens(tok, config.special...)
}

func orSpecial(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d more special tokens", n)
}

// tokensOf returns the bytes of the 256 byte tokens and those that merges make.
func tokensOf(merges [][2]int32) [][]byte {
	tokens := make([][]byte, 0, 256+len(merges))
	for _, b := range byteOfID {
		tokens = append(tokens, []byte{b})
	}
	for _, m := range merges {
		tokens = append(tokens, slices.Concat(tokens[m[0]], tokens[m[1]]))
	}
	return tokens
}

// trainer holds the words of the corpus, each once, as they are after the merges
// so far, and the count of each pair of neighbours in them. A merge visits only
// the places where its pair occurs, so that training takes time in proportion to
// the words' total length (and the logarithm of the number of pairs), however
// long a single word may be.
type trainer struct {
	// The words lie one after the other; position i is a byte of one of them.
	// Tokens start at some positions; the others hold -1.
	id     []int32 // the token that starts here
	next   []int32 // where the next token of the word starts, or -1
	prev   []int32 // where the one before starts, or -1
	wordOf []int32
	count  []int64 // of each word

	pairs map[[2]int32]*pair
	queue heap[candidate]
}

// pair is what the trainer knows of two neighbouring tokens.
type pair struct {
	count int64
	at    []int32 // positions of the left token, with stale ones among them
}

// candidate is a pair with its count when it was queued. Counts fall as other
// merges take tokens away; they rise only for pairs with the newest token, which
// are queued after the merge. So the count is an upper bound, and a candidate
// whose count is current is the best of all when it comes first.
type candidate struct {
	ids   [2]int32
	count int64
}

func newTrainer(words []word) (*trainer, error) {
	size := 0
	for _, w := range words {
		size += len(w.text)
	}
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("the corpus has %d different words of %d bytes together, more than the 2 GiB that training can hold: train on a part of it", len(words), size)
	}
	t := &trainer{
		id:     make([]int32, 0, size),
		next:   make([]int32, 0, size),
		prev:   make([]int32, 0, size),
		wordOf: make([]int32, 0, size),
		count:  make([]int64, len(words)),
		pairs:  make(map[[2]int32]*pair),
	}
	for w, word := range words {
		t.count[w] = word.count
		first := int32(len(t.id))
		for i := range len(word.text) {
			at := first + int32(i)
			t.id = append(t.id, idOfByte[word.text[i]])
			t.next = append(t.next, at+1)
			t.prev = append(t.prev, at-1)
			t.wordOf = append(t.wordOf, int32(w))
		}
		t.prev[first] = -1
		t.next[len(t.next)-1] = -1
		for at := first; t.next[at] >= 0; at++ {
			t.add(at)
		}
	}
	t.queue.before = func(a, b candidate) bool {
		if a.count != b.count {
			return a.count > b.count
		}
		if a.ids[0] != b.ids[0] {
			return a.ids[0] < b.ids[0]
		}
		return a.ids[1] < b.ids[1]
	}
	for ids, p := range t.pairs {
		t.queue.push(candidate{ids, p.count})
	}
	return t, nil
}

// add counts the pair whose left token is at position at.
func (t *trainer) add(at int32) (ids [2]int32) {
	ids = [2]int32{t.id[at], t.id[t.next[at]]}
	p := t.pairs[ids]
	if p == nil {
		p = new(pair)
		t.pairs[ids] = p
	}
	p.count += t.count[t.wordOf[at]]
	p.at = append(p.at, at)
	return ids
}

// drop takes the pair whose left token is at position at off its count.
func (t *trainer) drop(at int32) {
	t.pairs[[2]int32{t.id[at], t.id[t.next[at]]}].count -= t.count[t.wordOf[at]]
}

// best returns the most frequent pair, or false if none occurs minCount times.
func (t *trainer) best(minCount int64) ([2]int32, bool) {
	for len(t.queue.items) > 0 {
		c := t.queue.pop()
		now := t.pairs[c.ids].count
		switch {
		case now < minCount:
		case now == c.count:
			return c.ids, true
		default:
			t.queue.push(candidate{c.ids, now})
		}
	}
	return [2]int32{}, false
}

// merge replaces the pair ids by token id in all words, from left to right.
func (t *trainer) merge(ids [2]int32, id int32) {
	made := make(map[[2]int32]bool) // pairs with the new token
	for _, at := range t.pairs[ids].at {
		right := t.next[at]
		if t.id[at] != ids[0] || right < 0 || t.id[right] != ids[1] {
			continue // a merge has changed this place since
		}
		before, after := t.prev[at], t.next[right]
		if before >= 0 {
			t.drop(before)
		}
		if after >= 0 {
			t.drop(right)
		}
		t.id[at], t.id[right] = id, -1
		t.next[at] = after
		if after >= 0 {
			t.prev[after] = at
			made[t.add(at)] = true
		}
		if before >= 0 {
			made[t.add(before)] = true
		}
	}
	delete(t.pairs, ids)
	for ids := range made {
		t.queue.push(candidate{ids, t.pairs[ids].count})
	}
}
