package data

import (
	"fmt"
	"runtime"
	"sync"
)

// Encoder turns text into token ids; it is safe for concurrent use.
type Encoder interface {
	Encode(text string) ([]int32, error)
	EndOfText() int32 // -1: there is none
	VocabSize() int
}

// Stream is a corpus as tokens: documents one after the other, with the
// end-of-text token before the first, between them, and after the last. So a
// document is predicted from an end of text, its own end included. An encoder
// without an end of text gives the documents alone.
type Stream struct {
	Tokens []int32
	// Starts are the positions where the documents begin, ascending: those of the
	// end-of-text tokens before them, or of their first tokens.
	Starts []int
	// Bytes is the length of the text. End-of-text tokens have no bytes.
	Bytes int

	// Unseparated says that there are no end-of-text tokens.
	Unseparated bool
}

// Tokenize encodes the documents on all cores. What it returns doesn't depend on
// their number.
func Tokenize(c Corpus, e Encoder) (*Stream, error) {
	ids := make([][]int32, len(c.Documents))
	errs := make([]error, len(c.Documents))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				ids[i], errs[i] = e.Encode(c.Documents[i].Text)
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	wg.Wait()

	s := &Stream{Bytes: c.Bytes(), Unseparated: e.EndOfText() < 0}
	total := len(ids) + 1
	for i, doc := range ids {
		if errs[i] != nil {
			return nil, fmt.Errorf("%s: %w", c.Documents[i].Source, errs[i])
		}
		total += len(doc)
	}
	s.Tokens = make([]int32, 0, total)
	if !s.Unseparated {
		s.Tokens = append(s.Tokens, e.EndOfText())
	}
	for i, doc := range ids {
		for _, id := range doc {
			if id < 0 || int(id) >= e.VocabSize() {
				panic(fmt.Sprintf("data: token %d from an encoder of %d tokens", id, e.VocabSize()))
			}
		}
		ids[i] = nil
		if s.Unseparated {
			if len(doc) > 0 {
				s.Starts = append(s.Starts, len(s.Tokens))
				s.Tokens = append(s.Tokens, doc...)
			}
			continue
		}
		s.Starts = append(s.Starts, len(s.Tokens)-1)
		s.Tokens = append(append(s.Tokens, doc...), e.EndOfText())
	}
	return s, nil
}

// copyFrom fills dst with the tokens from position at on. The last end of text is
// the first as well: after it the stream goes on with the first document.
func (s *Stream) copyFrom(at int, dst []int32) {
	for n := copy(dst, s.Tokens[at:]); n < len(dst); {
		n += copy(dst[n:], s.Tokens[1:])
	}
}

// Check says whether a split holds a window of the context.
func (s *Stream) Check(split string, context int) error {
	if len(s.Tokens) >= context+1 {
		return nil
	}
	return fmt.Errorf("the %s split has %d tokens, a context of %d needs at least %d: lower model.context, change data.val_fraction, or give more text", split, len(s.Tokens), context, context+1)
}
