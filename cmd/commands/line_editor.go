package commands

import (
	"errors"
	"io"
	"strings"

	"github.com/peterh/liner"
)

// editLines reads lines from the person at the terminal, who may edit them, go back to
// earlier ones, and complete those that begin like one of names. read returns io.EOF at
// Ctrl-D, and takes Ctrl-C as a shell does: what was typed is taken back. end is to be
// called when no more lines are read.
func editLines(names []string) (read func() (string, error), end func()) {
	editor := liner.NewLiner()
	editor.SetCtrlCAborts(true)
	editor.SetCompleter(func(line string) (matches []string) {
		for _, name := range names {
			if strings.HasPrefix(name, line) {
				matches = append(matches, name)
			}
		}
		return matches
	})
	read = func() (string, error) {
		for {
			line, err := editor.Prompt("> ")
			if errors.Is(err, liner.ErrPromptAborted) {
				continue
			}
			if err != nil {
				return "", io.EOF
			}
			if strings.TrimSpace(line) != "" {
				editor.AppendHistory(line)
			}
			return line, nil
		}
	}
	return read, func() { editor.Close() }
}
