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

	"tinygpt/internal/userfile"
)

// EachLine calls f for each line of the files that Load would read, without holding
// them in memory. A line is passed without its end, \n or \r\n, and is valid until f
// returns; lines that only divide documents are passed as empty ones. Report and errors
// are Load's; an error of f ends it, too.
func EachLine(patterns []string, o Options, f func(line []byte) error) (Report, error) {
	files, err := find(patterns)
	if err != nil {
		return Report{}, err
	}
	l := lines{f: f, o: o}
	l.report.LeftOut = files.leftOut
	for _, file := range files.files {
		err := l.file(file.path)
		if why := file.whyLeft(err); why != "" {
			l.report.LeftOut = append(l.report.LeftOut, LeftOut{file.path, why})
			continue
		}
		if err != nil {
			return l.report, err
		}
		l.report.Files++
	}
	return l.report, nil
}

// longCheck is after how many bytes of a line, a power of two, its memory is looked at again.
const longCheck = 26

// lines passes lines on, and counts what they hold.
type lines struct {
	f      func(line []byte) error
	o      Options
	report Report
	within bool // a document that isn't ended yet has text
}

// pass passes a line on.
func (l *lines) pass(line []byte) error {
	l.within = l.within || len(bytes.TrimSpace(line)) > 0
	return l.f(line)
}

// end ends a document.
func (l *lines) end() {
	if l.within {
		l.report.Documents++
	}
	l.within = false
}

func (l *lines) file(file string) error {
	name, o := displayName(file), l.o
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
	buffer := bufio.NewReaderSize(r, 1<<18)
	head, _ := buffer.Peek(1 << 12)
	if err := checkKind(name, head); err != nil {
		return err
	}
	var long []byte // a line that is longer than the reader's buffer
	empty := true
	for number, offset := 1, 0; ; number++ {
		line, err := buffer.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(long)>>longCheck != (len(long)+len(line))>>longCheck {
				if err := userfile.CheckGrown(len(long)); err != nil {
					return fmt.Errorf("%s:%d: %w", name, number, err)
				}
			}
			long = append(long, line...)
			line, err = buffer.ReadSlice('\n')
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
		l.report.Bytes += len(line)
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(userfile.ByteOrderMark))
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		empty = empty && len(bytes.TrimSpace(bytes.ReplaceAll(line, []byte(separator), nil))) == 0
		if !last || len(line) > 0 {
			if err := l.pieces(line); err != nil {
				return err
			}
		}
		if last {
			break
		}
	}
	l.end()
	if empty {
		return fmt.Errorf("%s: %w: give one with text in it", name, errEmpty)
	}
	return nil
}

// pieces passes a line on, or what separators leave of it, with an empty line for each
// separator.
func (l *lines) pieces(line []byte) error {
	if !bytes.Contains(line, []byte(separator)) {
		return l.pass(line)
	}
	pieces := bytes.Split(line, []byte(separator))
	for i, piece := range pieces {
		if i > 0 {
			if len(bytes.TrimSpace(pieces[i-1])) > 0 || len(bytes.TrimSpace(piece)) > 0 {
				l.report.Inline++
			}
			l.end()
			if err := l.f(line[:0]); err != nil {
				return err
			}
		}
		if len(bytes.TrimSpace(piece)) > 0 {
			if err := l.pass(piece); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkLine says what is wrong with a line with that number, which begins at an offset
// in its file.
func checkLine(file string, line []byte, number, offset int, o Options) error {
	if number == 1 && o.Encoding == "" && (userfile.UTF16(line) || nulls(line) != "") {
		return checkUTF8(file, line)
	}
	if at := bytes.IndexByte(line, 0); at >= 0 {
		return nul(file, number, offset+at)
	}
	if o.Encoding != "" {
		if bytes.ContainsRune(line, utf8.RuneError) {
			return otherEncoding(file, number, o.Encoding)
		}
		return nil
	}
	if at := FirstInvalid(line); at >= 0 {
		return fmt.Errorf("%s:%d: byte %#x at offset %d is not UTF-8: %s", file, number, line[at], offset+at, guess(line, at))
	}
	return nil
}
