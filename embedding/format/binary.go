package format

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"tinygpt/embedding"
)

// binary reads s.words rows: a word, a blank and D float32 values. A line end before a
// word belongs to the row before it.
func (s *scanner) binary() error {
	row := make([]byte, 4*s.v.Dim)
	for s.read < s.words && !s.full() {
		word, err := s.binaryWord()
		if err != nil {
			return err
		}
		n, err := io.ReadFull(s.in, row)
		s.offset += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return s.truncated()
		}
		if err != nil {
			return s.broken(err)
		}
		for j := range s.v.Dim {
			x := math.Float32frombits(binary.LittleEndian.Uint32(row[4*j:]))
			if !finite(x) {
				return fmt.Errorf("byte %d: number %d of word %d, %s, is %v: expected a finite number", s.offset-int64(len(row))+int64(4*j), j+1, s.read+1, excerpt(word), x)
			}
			s.v.Matrix = append(s.v.Matrix, x)
		}
		s.add(word)
	}
	if s.full() {
		return nil
	}
	rest, err := io.ReadAll(io.LimitReader(s.in, 1<<10))
	if err != nil {
		return s.broken(err)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("byte %d: line 1 says %d words of %d numbers, but there is more after them: the first line is wrong, or the file is damaged", s.offset, s.words, s.v.Dim)
	}
	return nil
}

// binaryWord reads up to the next blank.
func (s *scanner) binaryWord() ([]byte, error) {
	start := s.offset
	for word := []byte(nil); ; {
		c, err := s.in.ReadByte()
		if err == io.EOF {
			return nil, s.truncated()
		}
		if err != nil {
			return nil, s.broken(err)
		}
		s.offset++
		switch {
		case c == ' ':
			return word, nil
		case c == '\n' && len(word) == 0:
			start++
		default:
			word = append(word, c)
		}
		if len(word) > maxWord {
			return nil, fmt.Errorf("byte %d: word %d has no end within %d bytes: the first line is wrong, or the file is damaged", start, s.read+1, maxWord)
		}
	}
}

func (s *scanner) truncated() error {
	return fmt.Errorf("line 1 says %d words of %d numbers, but the file ends in word %d, at byte %d: it is truncated", s.words, s.v.Dim, s.read+1, s.offset)
}

// writeBinary writes rows as word2vec.c does, with a line end after each.
func writeBinary(out *bufio.Writer, v *embedding.Vectors) error {
	var row []byte
	for i, w := range v.Words {
		if strings.ContainsAny(w, " \n") || len(w) > maxWord {
			return fmt.Errorf("word %d, %s, has a blank, a line end or more than %d bytes, which word2vec's binary format can't hold: write text or safetensors instead", i+1, excerpt([]byte(w)), maxWord)
		}
		row = append(append(row[:0], w...), ' ')
		for _, x := range v.Row(i) {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(x))
		}
		if _, err := out.Write(append(row, '\n')); err != nil {
			return err
		}
	}
	return nil
}
