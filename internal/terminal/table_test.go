package terminal

import (
	"testing"
)

// Columns begin, or end, under one another whatever the cells' script is.
func TestTable(t *testing.T) {
	table := Table{Right: func(column int) bool { return column == 1 }}
	table.Row("run", "loss", "words")
	table.Row("运行", "1.25", "小猫")
	table.Row("cafe\u0301", "二", "x", "y")
	table.Row("end")
	want := "run   loss  words\n" +
		"运行  1.25  小猫\n" +
		"cafe\u0301    二  x      y\n" +
		"end\n"
	if got := table.Text(); got != want {
		t.Errorf("\n%q, want\n%q", got, want)
	}
	if again := table.Text(); again != "" {
		t.Errorf("rows are there twice: %q", again)
	}
	for text, want := range map[string]int{"": 0, "abc": 3, "小猫": 4, "ﾊﾝ": 2, "e\u0301": 1, "👩‍👩‍👧": 2} {
		if got := Columns(text); got != want {
			t.Errorf("%q is %d columns wide, want %d", text, got, want)
		}
	}
}
