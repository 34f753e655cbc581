package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// EachLine calls f for each line of the files that Load would read, without holding
// them in memory. A line is passed without its end, \n or \r\n, and is valid until f
// returns; lines that divide documents are passed as empty ones. Errors are Load's, and
// those of f.
func EachLine(patterns []string, f func(line []byte) error) error {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := find(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			if err := eachLineOf(file, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func eachLineOf(file string, f func(line []byte) error) error {
	name := displayName(file)
	var r io.Reader = os.Stdin
	if file != stdin {
		open, err := os.Open(file)
		if err != nil {
			return err
		}
		defer open.Close()
		r = open
	}
	if filepath.Ext(file) == ".gz" {
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<18))
		if err != nil {
			return fmt.Errorf("%s: not gzip although its name ends in .gz: %w", name, err)
		}
		r = z
	}
	lines := bufio.NewReaderSize(r, 1<<18)
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
			if filepath.Ext(file) == ".gz" {
				return fmt.Errorf("%s: damaged gzip data: %w", name, err)
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		last := err == io.EOF
		if !utf8.Valid(line) {
			return checkLine(name, line, number, offset)
		}
		offset += len(line)
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if string(line) == separator {
			line = line[:0]
		}
		empty = empty && len(bytes.TrimSpace(line)) == 0
		if !last || len(line) > 0 {
			if err := f(line); err != nil {
				return err
			}
		}
		if last {
			break
		}
	}
	if empty {
		return fmt.Errorf("%s: the file is empty: give one with text in it", name)
	}
	return nil
}

// checkLine is checkUTF8 for a line with that number, which begins at an offset in its
// file.
func checkLine(file string, line []byte, number, offset int) error {
	if offset == 0 && (bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff"))) {
		return checkUTF8(file, line)
	}
	at := 0
	for at < len(line) {
		r, n := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8: convert the file, for example with `iconv -f latin1 -t utf-8`", file, number, line[at], offset+at)
}
