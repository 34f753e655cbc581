package atomicfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"tinygpt/internal/userfile"
)

// Reopen opens a file of JSON lines of one kind, which need not be there, for more of them:
// a run's metrics, a study's results. It returns the lines that the file has. Those that keep
// is false for are removed; nil keeps all.
func Reopen[T any](path string, keep func(T) bool) ([]T, *Lines, error) {
	all, err := ReadLines[T](path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	if keep != nil {
		all = slices.DeleteFunc(all, func(line T) bool { return !keep(line) })
	}
	var kept bytes.Buffer
	if err := WriteLines(&kept, all); err != nil {
		return nil, nil, err
	}
	if err := WriteFile(path, kept.Bytes()); err != nil {
		return nil, nil, err
	}
	lines, err := OpenLines(path)
	return all, lines, err
}

// ReadLines reads a file of JSON lines. A last line that was only partly written is left
// out.
func ReadLines[T any](path string) ([]T, error) {
	f, err := userfile.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseLines[T](f, path)
}

// ParseLines does what ReadLines does, for an open file; errors mention name.
func ParseLines[T any](r io.Reader, name string) (all []T, err error) {
	var broken error
	err = userfile.EachLine(r, name, func(n int, text []byte) error {
		if broken != nil {
			return broken
		}
		var line T
		if err := json.Unmarshal(text, &line); err != nil {
			broken = fmt.Errorf("%s:%d: not a line that this program wrote: %w", name, n, err)
			return nil
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// WriteLines writes what ParseLines reads.
func WriteLines[T any](w io.Writer, all []T) error {
	lines := json.NewEncoder(w)
	for _, line := range all {
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
