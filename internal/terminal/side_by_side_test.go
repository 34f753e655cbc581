package terminal

import (
	"strings"
	"testing"
)

// Things stand next to one another while there is room, and the others below.
func TestSideBySide(t *testing.T) {
	got := SideBySide([][]string{{"model", "一", "b"}, {"sizes:"}, {"layers", "12", "1,000"}, {"rest", "", "x"}}, 0)
	if want := "model      一      b\nsizes:\nlayers     12  1,000\nrest               x\n"; got != want {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
	rows := [][]string{{"name"}, {"size"}}
	for range 30 {
		rows[0], rows[1] = append(rows[0], strings.Repeat("m", 20)), append(rows[1], "1")
	}
	for columns, blocks := range map[int]int{0: 10, 80: 10, 200: 10, 60: 15, 30: 30, 5: 30} {
		got = SideBySide(rows, columns)
		for line := range strings.Lines(got) {
			if n := Columns(strings.TrimSuffix(line, "\n")); n > 80 || columns > 26 && n > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		if strings.Count(got, "name") != blocks || strings.Count(got, "1") != 30 {
			t.Errorf("%d columns: expected %d blocks:\n%s", columns, blocks, got)
		}
	}
}
