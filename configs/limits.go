package configs

import (
	"bytes"
	"fmt"
)

// A configuration is far from these limits. Beyond them the YAML library needs minutes and
// gigabytes: its time grows with the square of nesting, and of marks in a line.
const (
	MaxSize  = 1 << 18 // bytes
	maxDepth = 32      // of brackets
	maxMarks = 50      // of YAML's marks in a line, apart from those between brackets' parts
)

// checkLimits returns an error for a text that would take very long to read.
func checkLimits(text []byte, name string) error {
	if len(text) > MaxSize {
		return fmt.Errorf("%s: more than %d bytes, which is too large for a configuration", name, MaxSize)
	}
	depth, number := 0, 0
	var quote byte // that is open
	for line := range bytes.Lines(text) {
		number++
		marks := 0
		before := byte(' ')
		for i := 0; i < len(line); i++ {
			c := line[i]
			switch {
			case quote == '"' && c == '\\':
				i++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '#' && isBlank(before):
				i = len(line)
				continue
			case (c == '"' || c == '\'') && (isBlank(before) || bytes.IndexByte([]byte("[{,:"), before) >= 0):
				quote = c
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				depth = max(0, depth-1)
			case bytes.IndexByte([]byte("&*!%@`|>"), c) >= 0:
				marks++
			case bytes.IndexByte([]byte("-?:"), c) >= 0 && depth == 0:
				marks++
			}
			if depth > maxDepth {
				return fmt.Errorf("%s: nested more than %d deep: a configuration has sections with settings, and no more", place(name, number, i+1), maxDepth)
			}
			if marks > maxMarks {
				return fmt.Errorf("%s: more than %d of YAML's marks (& * ! %% - ? :) in a line: put a text that has them in quotes", place(name, number, i+1), maxMarks)
			}
			before = c
		}
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
