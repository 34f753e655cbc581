package terminal

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/table"
)

// A table that is too wide for a terminal breaks its widest cells, and keeps all words.
func TestFitting(t *testing.T) {
	rows := [][]string{{"word", "a vector of many numbers", "another"}, {"cat", strings.Repeat("0.123 ", 20) + "end", strings.Repeat("-1.5 ", 12) + "end"}}
	for _, columns := range []int{0, 120, 80, 60} {
		f := Framed()
		f.SetColumnConfigs(Fitting(rows, columns))
		for _, row := range rows {
			f.AppendRow(table.Row{row[0], row[1], row[2]})
		}
		text := f.Render()
		for line := range strings.Lines(text) {
			if n := Columns(strings.TrimSuffix(line, "\n")); columns > 0 && n > columns {
				t.Errorf("%d columns: %q has %d", columns, line, n)
			}
		}
		if strings.Count(text, "0.123") != 20 || strings.Count(text, "end") != 2 {
			t.Errorf("%d columns:\n%s", columns, text)
		}
	}
}
