package tokenizer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"tinygpt/internal/userfile"
)

// ReadIDs reads token ids one by one: numbers with white space, commas or brackets
// between them, or JSON objects, one after the other, that hold them under the key
// "ids". end, unless nil, is called after the ids of each object. The error is that of
// the first thing that is no id, and ends the sequence.
func ReadIDs(r io.Reader, end func()) iter.Seq2[int32, error] {
	return func(yield func(int32, error) bool) {
		in := bufio.NewReader(r)
		if b, _ := in.Peek(3); string(b) == userfile.ByteOrderMark {
			in.Discard(3)
		}
		for {
			b, err := in.Peek(1)
			if err != nil || !strings.ContainsRune(" \t\r\n", rune(b[0])) {
				break
			}
			in.Discard(1)
		}
		if b, _ := in.Peek(1); len(b) == 1 && b[0] == '{' {
			readObjects(in, end, yield)
			return
		}
		words := bufio.NewScanner(in)
		words.Split(scanIDs)
		for n := 1; words.Scan(); n++ {
			id, err := strconv.ParseInt(words.Text(), 10, 32)
			if err != nil {
				yield(0, fmt.Errorf("%q is number %d of the input, expected a token id", words.Text(), n))
				return
			}
			if !yield(int32(id), nil) {
				return
			}
		}
		if err := words.Err(); err != nil {
			yield(0, err)
		}
	}
}

// readObjects is ReadIDs for JSON objects.
func readObjects(r io.Reader, end func(), yield func(int32, error) bool) {
	dec := json.NewDecoder(r)
	for n := 1; ; n++ {
		var e struct {
			IDs []int32 `json:"ids"`
		}
		err := dec.Decode(&e)
		if n > 1 && errors.Is(err, io.EOF) {
			return
		}
		if err == nil && e.IDs == nil || errors.Is(err, io.EOF) {
			err = errors.New("it isn't there")
		}
		if err != nil {
			yield(0, fmt.Errorf(`JSON object %d has no list of ids under the key "ids": %w`, n, err))
			return
		}
		for _, id := range e.IDs {
			if !yield(id, nil) {
				return
			}
		}
		if end != nil {
			end()
		}
	}
}

// scanIDs is a bufio.SplitFunc for ReadIDs.
func scanIDs(b []byte, atEOF bool) (advance int, token []byte, err error) {
	separator := func(c byte) bool { return strings.IndexByte(" \t\r\n,[]", c) >= 0 }
	start := 0
	for start < len(b) && separator(b[start]) {
		start++
	}
	for end := start; end < len(b); end++ {
		if separator(b[end]) {
			return end, b[start:end], nil
		}
	}
	if atEOF && start < len(b) {
		return len(b), b[start:], nil
	}
	return start, nil, nil
}
