package terminal

import (
	"strings"
	"testing"
)

// Columns begin, or end, under one another whatever the cells' script is.
func TestTable(t *testing.T) {
	table := Table{Right: func(column int) bool { return column == 1 }}
	table.Row("run", "loss", "words")
	table.Row("运行", "1.25", "小猫")
	table.Row("cafe\u0301", "二", "x", "y")
	table.Row("end")
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "run   loss  words\n" +
		"运行  1.25  小猫\n" +
		"cafe\u0301    二  x      y\n" +
		"end\n"
	if b.String() != want {
		t.Errorf("\n%q, want\n%q", b.String(), want)
	}
	b.Reset()
	if err := table.Write(&b); err != nil || b.String() != "" {
		t.Errorf("written twice: %q, %v", b.String(), err)
	}
	for text, want := range map[string]int{"": 0, "abc": 3, "小猫": 4, "ﾊﾝ": 2, "e\u0301": 1, "👩‍👩‍👧": 2} {
		if got := Columns(text); got != want {
			t.Errorf("%q is %d columns wide, want %d", text, got, want)
		}
	}
}
