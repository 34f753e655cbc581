package terminal

import (
	"strings"
	"testing"
)

// The first row is the head; a line can be drawn below any other.
func TestFramed(t *testing.T) {
	f := Framed{Right: func(column int) bool { return column == 1 }}
	f.Row("section", "questions")
	f.Row("family", "506")
	f.Line()
	f.Row("all", "1,506")
	want := "┌─────────┬───────────┐\n" +
		"│ section │ questions │\n" +
		"├─────────┼───────────┤\n" +
		"│ family  │       506 │\n" +
		"├─────────┼───────────┤\n" +
		"│ all     │     1,506 │\n" +
		"└─────────┴───────────┘\n"
	if got := f.Text(0); got != want {
		t.Errorf("\n%swant\n%s", got, want)
	}
}

// A table that is too wide for a terminal breaks its widest cells, and keeps all words.
func TestFramedFits(t *testing.T) {
	for _, columns := range []int{0, 120, 80, 60} {
		var f Framed
		f.Row("word", "a vector of many numbers", "another")
		f.Row("cat", strings.Repeat("0.123 ", 20)+"end", strings.Repeat("-1.5 ", 12)+"end")
		text := f.Text(columns)
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
