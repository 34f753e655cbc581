package tokenizer

import (
	"cmp"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// word is a piece of the corpus and how often it occurs there.
type word struct {
	text  string
	count int64
}

// countWords splits the texts of corpus into pieces and counts them on all
// cores. The words come in the order of their bytes. Memory grows with the
// number of different words, not with the corpus, which may be streamed. progress
// is called with the bytes handed out so far.
func countWords(corpus iter.Seq[string], progress func(bytes int)) ([]word, error) {
	chunks := make(chan string)
	counts := make([]map[string]*int64, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range counts {
		counts[i] = make(map[string]*int64)
		wg.Go(func() {
			for s := range chunks {
				countPieces(counts[i], s)
			}
		})
	}
	var err error
	n, bytes := 0, 0
	for text := range corpus {
		n++
		if err = checkUTF8(text); err != nil {
			err = fmt.Errorf("text %d of the corpus: %w", n, err)
			break
		}
		for part := range cut(text, chunkSize, cuttable) {
			chunks <- part
			bytes += len(part)
			progress(bytes)
		}
	}
	close(chunks)
	wg.Wait()
	if err != nil {
		return nil, err
	}

	all := counts[0]
	for _, more := range counts[1:] {
		for text, n := range more {
			if sum, ok := all[text]; ok {
				*sum += *n
			} else {
				all[text] = n
			}
		}
	}
	words := make([]word, 0, len(all))
	for text, n := range all {
		words = append(words, word{text, *n})
	}
	slices.SortFunc(words, func(a, b word) int { return cmp.Compare(a.text, b.text) })
	return words, nil
}

// countPieces adds the pieces of s to count, whose keys are copies, so that they
// do not keep the corpus in memory.
func countPieces(count map[string]*int64, s string) {
	for len(s) > 0 {
		n := nextPiece(s)
		if c, ok := count[s[:n]]; ok {
			*c++
		} else {
			one := int64(1)
			count[strings.Clone(s[:n])] = &one
		}
		s = s[n:]
	}
}
