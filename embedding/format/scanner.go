package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"tinygpt/embedding"
)

// Limits of what is read.
const (
	// peekBytes is how much of a file is looked at to tell its format.
	peekBytes = 1 << 20
	// maxDim bounds D, so that a damaged first line doesn't ask for all memory.
	maxDim = 1 << 17
	// maxLine is the longest line and maxWord the longest word, in bytes.
	maxLine = 64 << 20
	maxWord = 1 << 16
)

// scanner reads one file into v.
type scanner struct {
	in    *bufio.Reader
	limit int // of words; 0: none
	notes *Notes
	v     *embedding.Vectors
	seen  map[string]bool

	words  int    // the number that the first line promises; -1 if there is no such line
	read   int    // rows read, duplicates included
	line   int    // number of the line last read
	offset int64  // bytes read
	buffer []byte // a line longer than the reader's buffer
}

// scan finds out the format and reads the rows.
func (s *scanner) scan(size int64) error {
	start, err := s.in.Peek(peekBytes)
	if err != nil && err != io.EOF {
		return s.broken(err)
	}
	if len(start) == 0 {
		return errors.New("the file is empty")
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) { // a byte order mark
		s.in.Discard(3)
		s.offset += 3
		start = start[3:]
	}
	s.words = -1
	first, rest, _ := bytes.Cut(start, []byte("\n"))
	words, dim, header := parseHeader(first)
	if !header {
		s.notes.Format = GloVe
		if s.v.Dim = guessDim(start, len(start) < peekBytes-3); s.v.Dim == 0 {
			return fmt.Errorf("line 1 is neither \"number of words, length of vectors\" nor a word with its numbers: found %s; expected word2vec's, fastText's or GloVe's format", excerpt(first))
		}
		return s.text()
	}
	if dim > maxDim {
		return fmt.Errorf("line 1 says %d words of %d numbers: expected at most %d numbers", words, dim, maxDim)
	}
	s.words, s.v.Dim = words, dim
	s.notes.Format = Binary
	if isText(rest, dim) {
		s.notes.Format = Text
	}
	if _, err := s.readLine(); err != nil {
		return err
	}
	// A number takes four bytes, or two as text: a blank and a digit.
	if least := map[Format]int64{Text: 2, Binary: 4}[s.notes.Format]; size > 0 && (size-s.offset)/least/int64(dim) < int64(words) {
		return fmt.Errorf("line 1 says %d words of %d numbers, %s, but the file has only %d bytes: it is truncated", words, dim, s.notes.Format, size)
	}
	rows := words
	if s.limit > 0 {
		rows = min(rows, s.limit)
	}
	if size == 0 { // unknown: reserve a megabyte at most
		rows = min(rows, (1<<18)/dim)
	}
	s.v.Words, s.v.Matrix = make([]string, 0, rows), make([]float32, 0, rows*dim)
	if s.notes.Format == Binary {
		return s.binary()
	}
	return s.text()
}

// parseHeader reads the line "V D".
func parseHeader(line []byte) (words, dim int, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) != 2 || len(line) > 64 {
		return 0, 0, false
	}
	words, err1 := strconv.Atoi(string(fields[0]))
	dim, err2 := strconv.Atoi(string(fields[1]))
	return words, dim, err1 == nil && err2 == nil && words > 0 && dim > 0
}

// isText says whether the first row, after the first line, ends in dim numbers written as
// text.
func isText(rest []byte, dim int) bool {
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	line = trimRight(line)
	fields := 0
	for left := line; fields < dim; fields++ {
		at := bytes.LastIndexAny(left, " \t")
		if at < 0 {
			break
		}
		if _, err := strconv.ParseFloat(string(left[at+1:]), 32); err != nil && !errors.Is(err, strconv.ErrRange) {
			break
		}
		left = trimRight(left[:at])
	}
	// A row with fewer numbers is text with a mistake, unless it has bytes that aren't text.
	return fields == dim || fields > 0 && bytes.IndexFunc(line, unicode.IsControl) < 0 && utf8.Valid(line)
}

// guessDim returns how many numbers most of the first lines have after a word without blanks,
// the smallest of equally frequent ones; 0 if no line has any. all says that text is the whole
// file, so that a last line without an end counts too.
func guessDim(text []byte, all bool) int {
	votes := map[int]int{}
	for lines := 0; lines < 1000 && len(text) > 0; lines++ {
		line, rest, complete := bytes.Cut(text, []byte("\n"))
		if !complete && !all && lines > 0 {
			break
		}
		text = rest
		fields := bytes.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' })
		if len(fields) < 2 {
			continue
		}
		if _, err := strconv.ParseFloat(string(fields[len(fields)-1]), 32); err != nil && !errors.Is(err, strconv.ErrRange) {
			continue
		}
		votes[len(fields)-1]++
	}
	best := 0
	for n, v := range votes {
		if v > votes[best] || v == votes[best] && n < best {
			best = n
		}
	}
	return min(best, maxDim)
}

// readLine returns the next line without its end; after the last one the error is io.EOF. The
// line is valid until the next call.
func (s *scanner) readLine() ([]byte, error) {
	s.buffer = s.buffer[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		s.offset += int64(len(part))
		switch {
		case err == bufio.ErrBufferFull:
			if s.buffer = append(s.buffer, part...); len(s.buffer) > maxLine {
				return nil, fmt.Errorf("line %d has more than %d bytes: not a file of word vectors", s.line+1, maxLine)
			}
			continue
		case err == io.EOF && len(part)+len(s.buffer) == 0:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, s.broken(err)
		}
		s.line++
		if len(s.buffer) > 0 {
			part = append(s.buffer, part...)
			s.buffer = part
		}
		return bytes.TrimSuffix(part, []byte("\n")), nil
	}
}

// broken says where reading failed.
func (s *scanner) broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends in the middle, after %d words: it is truncated", s.read)
	}
	return fmt.Errorf("after %d words: %w", s.read, err)
}

// add keeps the row whose numbers were just appended to the matrix, unless its word has a row
// already.
func (s *scanner) add(word []byte) {
	s.read++
	if s.seen[string(word)] {
		if s.notes.Duplicates++; s.notes.Duplicates == 1 {
			s.notes.Duplicate = string(word)
		}
		s.v.Matrix = s.v.Matrix[:len(s.v.Words)*s.v.Dim]
		return
	}
	w := string(word)
	s.seen[w] = true
	s.v.Words = append(s.v.Words, w)
}

// full reports whether the limit is reached.
func (s *scanner) full() bool { return s.limit > 0 && len(s.v.Words) >= s.limit }

// finite reports whether x is neither NaN nor an infinity.
func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// excerpt quotes the beginning of a line.
func excerpt(line []byte) string {
	const longest = 40
	if len(line) > longest {
		return fmt.Sprintf("%q…", line[:longest])
	}
	return fmt.Sprintf("%q", line)
}

func trimRight(line []byte) []byte { return bytes.TrimRight(line, " \t\r") }
