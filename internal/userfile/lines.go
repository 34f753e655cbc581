package userfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// lineLimit is the longest line that EachLine reads, in bytes.
const lineLimit = 16 << 20

// EachLine calls do with the lines of a text that aren't blank, and their numbers from 1: without
// white space around them and without a byte order mark. A line is valid until do returns. An
// error of do ends it; errors in reading mention name.
func EachLine(r io.Reader, name string, do func(number int, line []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, lineLimit)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte(ByteOrderMark)))
		if len(line) == 0 {
			continue
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
