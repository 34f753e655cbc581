package format

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tinygpt/embedding"
)

// text reads lines of a word and its numbers to the end of the file. The numbers are
// split off from the right, since a word may have blanks.
func (s *scanner) text() error {
	for !s.full() {
		line, err := s.readLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(trimRight(line)) == 0 {
			if err := s.onlyBlank(); err != nil {
				return err
			}
			break
		}
		if s.words >= 0 && s.read == s.words {
			return fmt.Errorf("line %d: line 1 says %d words, but here is another: %s", s.line, s.words, excerpt(line))
		}
		if err := s.textRow(line); err != nil {
			return err
		}
	}
	if s.words > s.read && !s.full() {
		return fmt.Errorf("line 1 says %d words, but the file ends after %d: it is truncated", s.words, s.read)
	}
	return nil
}

// onlyBlank returns an error if there is anything but blank lines up to the end.
func (s *scanner) onlyBlank() error {
	blank := s.line
	for {
		line, err := s.readLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(trimRight(line)) > 0 {
			return fmt.Errorf("line %d is empty: expected a word and %d numbers", blank, s.v.Dim)
		}
	}
}

// textRow reads a word and its numbers from a line.
func (s *scanner) textRow(line []byte) error {
	d := s.v.Dim
	at := len(s.v.Matrix)
	s.v.Matrix = append(s.v.Matrix, make([]float32, d)...)
	rest := trimRight(line)
	for j := d - 1; j >= 0; j-- {
		cut := bytes.LastIndexAny(rest, " \t")
		if cut < 0 {
			return fmt.Errorf("line %d has %d numbers after its word: expected %d; found %s", s.line, d-1-j, d, excerpt(line))
		}
		field := rest[cut+1:]
		x, err := strconv.ParseFloat(string(field), 32)
		if err != nil || !finite(float32(x)) {
			return fmt.Errorf("line %d, number %d of %d is %s: expected a finite number; the line begins %s", s.line, j+1, d, excerpt(field), excerpt(line))
		}
		s.v.Matrix[at+j] = float32(x)
		if rest = rest[:cut]; j > 0 {
			rest = trimRight(rest)
		}
	}
	s.add(rest)
	return nil
}

// writeText writes a line for each word, its numbers in the fewest digits that give the
// same float32 back.
func writeText(out *bufio.Writer, v *embedding.Vectors) error {
	var line []byte
	for i, w := range v.Words {
		if strings.Contains(w, "\n") {
			return fmt.Errorf("word %d, %q, has a line end, at which a word ends in this format: leave it out", i+1, w)
		}
		line = append(line[:0], w...)
		for _, x := range v.Row(i) {
			line = strconv.AppendFloat(append(line, ' '), float64(x), 'g', -1, 32)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
