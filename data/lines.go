package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// EachLine calls f for each line of the files that Load would read, without holding
// them in memory. A line is passed without its end, \n or \r\n, and is valid until f
// returns; lines that only divide documents are passed as empty ones. Errors are
// Load's, and those of f.
func EachLine(patterns []string, o Options, f func(line []byte) error) error {
	files, err := find(patterns)
	if err != nil {
		return err
	}
	for _, file := range files.files {
		if err := eachLineOf(file.path, o, f); err != nil && (file.named || !errors.Is(err, errEmpty)) {
			return err
		}
	}
	return nil
}

func eachLineOf(file string, o Options, f func(line []byte) error) error {
	name := displayName(file)
	raw, err := open(file)
	if err != nil {
		return err
	}
	defer raw.Close()
	var r io.Reader = raw
	e, err := encodingOf(o.Encoding)
	if err != nil {
		return err
	}
	if e != nil {
		r = transform.NewReader(raw, unicode.BOMOverride(e.NewDecoder()))
	}
	lines := bufio.NewReaderSize(r, 1<<18)
	head, _ := lines.Peek(1 << 12)
	if err := checkKind(name, head); err != nil {
		return err
	}
	var long []byte // a line that is longer than the reader's buffer
	empty := true
	for number, offset := 1, 0; ; number++ {
		line, err := lines.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			line, err = lines.ReadSlice('\n')
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = line[:0]
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s: %w", name, err)
		}
		last := err == io.EOF
		if err := checkLine(name, line, number, offset, o); err != nil {
			return err
		}
		offset += len(line)
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		empty = empty && len(bytes.TrimSpace(bytes.ReplaceAll(line, []byte(separator), nil))) == 0
		if !last || len(line) > 0 {
			if err := eachPiece(line, f); err != nil {
				return err
			}
		}
		if last {
			break
		}
	}
	if empty {
		return fmt.Errorf("%s: %w: give one with text in it", name, errEmpty)
	}
	return nil
}

// eachPiece calls f for a line, or for what a separator leaves of it, with an empty
// line for each separator.
func eachPiece(line []byte, f func(line []byte) error) error {
	if !bytes.Contains(line, []byte(separator)) {
		return f(line)
	}
	for i, piece := range bytes.Split(line, []byte(separator)) {
		if i > 0 {
			if err := f(line[:0]); err != nil {
				return err
			}
		}
		if len(bytes.TrimSpace(piece)) > 0 {
			if err := f(piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkLine says what is wrong with a line with that number, which begins at an offset
// in its file.
func checkLine(file string, line []byte, number, offset int, o Options) error {
	if number == 1 && o.Encoding == "" && (utf16Mark(line) || nulls(line) != "") {
		return checkUTF8(file, line)
	}
	if at := bytes.IndexByte(line, 0); at >= 0 {
		return fmt.Errorf("%s:%d: a NUL character at offset %d: the file isn't text; remove it, or name only files of text", file, number, offset+at)
	}
	if o.Encoding != "" {
		if bytes.ContainsRune(line, utf8.RuneError) {
			return fmt.Errorf("%s:%d: bytes that aren't %s: name the encoding that the file has with --encoding", file, number, o.Encoding)
		}
		return nil
	}
	if at := firstInvalid(line); at >= 0 {
		return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8: %s", file, number, line[at], offset+at, guess(line, at))
	}
	return nil
}
