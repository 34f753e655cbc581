package commands

import (
	"bufio"
	"strings"
	"testing"

	"tinygpt/embedding/query"
	"tinygpt/internal/terminal"
)

// The table of an analogy file with long names of sections fits a terminal of 80 columns,
// and so do the explanations of the keys.
func TestFitsTerminal(t *testing.T) {
	tty, other := openTerminal(t, 80)
	lines := make(chan string)
	go func() {
		for in := bufio.NewScanner(other); in.Scan(); {
			lines <- in.Text()
		}
		close(lines)
	}()
	go func() {
		sections := []query.SectionScore{{Name: "gram6-nationality-adjective", Questions: 1599, Correct: []int{1, 2, 3}}}
		scoreReport{Methods: query.Methods, Analogies: []analogyReport{{File: "questions-words.txt", Sections: sections, All: sections[0]}}}.print(tty)
		tty.Close()
	}()
	printed := 0
	for line := range lines {
		printed++
		if n := terminal.Columns(strings.TrimRight(line, "\r")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if printed < 6 {
		t.Errorf("%d lines", printed)
	}
	for line := range strings.Lines(succeed(t, "config", "--keys")) {
		if n := terminal.Columns(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
