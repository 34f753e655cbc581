// Package format reads and writes files of word vectors: word2vec's text and binary
// formats, fastText's .vec, GloVe's text without a first line, each plain or gzipped, and
// safetensors with the words in a file of their own.
//
// Reading looks at the content, not at the name. Words are kept as they are, byte for
// byte, blanks and bytes that aren't UTF-8 included.
package format

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"tinygpt/embedding"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// Format is a way to store word vectors.
type Format string

// The formats.
const (
	// Text is word2vec's text and fastText's .vec: a line "V D", then for each word a
	// line of the word and its D numbers, blanks between them.
	Text Format = "word2vec text"
	// Binary is word2vec's binary format: a line "V D", then for each word the word, a
	// blank and D float32 values, little-endian. word2vec.c writes a line end after each
	// vector, gensim doesn't; both are read, the first is written.
	Binary Format = "word2vec binary"
	// GloVe is Text without its first line.
	GloVe Format = "GloVe text"
	// Safetensors is a matrix "vectors" [V, D], with the words in a .tsv file of the same
	// name: a word a line, with a tab and its count where counts are known.
	Safetensors Format = "safetensors"
)

// Endings lists the endings of file names that Write knows, for messages.
const Endings = ".safetensors, .bin, .txt, .vec or .glove.txt, the last four also with .gz"

// ByName returns the format that a file name's ending asks for, and whether it asks for gzip.
// An ending that isn't one of Endings is an error.
func ByName(path string) (f Format, zipped bool, err error) {
	name, zipped := strings.CutSuffix(strings.ToLower(filepath.Base(path)), ".gz")
	switch {
	case strings.HasSuffix(name, ".safetensors") && !zipped:
		return Safetensors, false, nil
	case strings.HasSuffix(name, ".bin"):
		return Binary, zipped, nil
	case strings.HasSuffix(name, ".glove.txt"):
		return GloVe, zipped, nil
	case strings.HasSuffix(name, ".txt"), strings.HasSuffix(name, ".vec"):
		return Text, zipped, nil
	}
	return "", false, fmt.Errorf("%s: the name's ending says in which format vectors are written: expected %s", path, Endings)
}

// Notes says what Read found besides the vectors.
type Notes struct {
	Format Format
	Zipped bool
	// Duplicates is how many rows were left out because their word had a row already, and
	// Duplicate the first such word.
	Duplicates int
	Duplicate  string
	// NotUTF8 is how many words aren't UTF-8.
	NotUTF8 int
}

// String is one line, like "word2vec text, gzipped; 2 words aren't UTF-8".
func (n Notes) String() string {
	s := string(n.Format)
	if n.Zipped {
		s += ", gzipped"
	}
	if n.Duplicates > 0 {
		s += fmt.Sprintf("; left out %d rows whose word had a row already, the first word is %q", n.Duplicates, n.Duplicate)
	}
	if n.NotUTF8 > 0 {
		s += fmt.Sprintf("; words that aren't UTF-8: %d", n.NotUTF8)
	}
	return s
}

// Read reads a file of any of the formats, at most limit words of it (0: all). A name that ends
// in .safetensors says that it is one; the others are told apart by their content. Errors name
// the file, and where it applies the line or byte.
func Read(path string, limit int) (*embedding.Vectors, Notes, error) {
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		v, err := readSafetensors(path)
		if err != nil {
			return nil, Notes{}, err
		}
		if limit > 0 {
			v = v.First(limit)
		}
		n := Notes{Format: Safetensors}
		n.countUTF8(v)
		return v, n, nil
	}
	f, err := userfile.Open(path)
	if err != nil {
		return nil, Notes{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, Notes{}, err
	}
	v, n, err := Parse(f, info.Size(), limit)
	if err != nil {
		return nil, n, fmt.Errorf("%s: %w", path, err)
	}
	return v, n, nil
}

// Parse reads vectors in any of the formats but safetensors, at most limit words (0: all). size
// is the number of bytes that r holds, which bounds what a first line may promise; 0 if
// unknown. Errors name the line, or in a binary file the byte.
func Parse(r io.Reader, size int64, limit int) (*embedding.Vectors, Notes, error) {
	var n Notes
	in := bufio.NewReaderSize(r, peekBytes)
	if start, _ := in.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		z, err := userfile.Unzip(in)
		if err != nil {
			return nil, n, fmt.Errorf("damaged gzip data: %w", err)
		}
		n.Zipped, size = true, 0
		in = bufio.NewReaderSize(z, peekBytes)
	}
	s := &scanner{in: in, limit: limit, notes: &n, v: &embedding.Vectors{}, seen: map[string]bool{}}
	if err := s.scan(size); err != nil {
		return nil, n, err
	}
	if len(s.v.Words) == 0 {
		return nil, n, errors.New("there are no vectors in it: expected a word and its numbers in each line")
	}
	n.countUTF8(s.v)
	return s.v, n, nil
}

func (n *Notes) countUTF8(v *embedding.Vectors) {
	for _, w := range v.Words {
		if !utf8.ValidString(w) {
			n.NotUTF8++
		}
	}
}

// Write writes the vectors in the format that the name's ending asks for (see ByName). The
// file appears under its name when it is complete. Vectors that Check refuses, and words that
// the format can't hold, are errors.
func Write(path string, v *embedding.Vectors) error {
	format, zipped, err := ByName(path)
	if err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return fmt.Errorf("%s isn't written: %w", path, err)
	}
	if format == Safetensors {
		return writeSafetensors(path, v)
	}
	return atomicfile.Write(path, func(f *os.File) error {
		var z *gzip.Writer
		out := bufio.NewWriterSize(f, 1<<20)
		if zipped {
			z = gzip.NewWriter(f)
			out.Reset(z)
		}
		if err := writeTo(out, format, v); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := out.Flush(); err != nil || z == nil {
			return err
		}
		return z.Close()
	})
}

func writeTo(out *bufio.Writer, format Format, v *embedding.Vectors) error {
	if format != GloVe {
		fmt.Fprintf(out, "%d %d\n", len(v.Words), v.Dim)
	}
	if format == Binary {
		return writeBinary(out, v)
	}
	return writeText(out, v)
}
