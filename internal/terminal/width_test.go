package terminal

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

func TestFit(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{{"epoch 1", 10, "epoch 1"}, {"epoch 1", 7, "epoch 1"}, {"epoch 1", 6, "epoch…"}, {"epoch 1", 0, "epoch 1"}, {"epoch 1", -3, "epoch 1"}, {"词向量", 6, "词向量"}, {"词向量", 5, "词向…"}, {"词向量", 4, "词…"}, {"e\u0301tude", 3, "e\u0301t…"},
		{"ab" + strings.Repeat("\u0301", 1000), 12, "a…"}, {strings.Repeat("\u200b", 1000), 12, strings.Repeat("\u200b", 160) + "…"}} {
		if got := Fit(c.text, c.columns); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.columns, got, c.want)
		}
	}
}

func TestWidthOfNoTerminal(t *testing.T) {
	f, err := os.Create(fixture.NewPath(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, m := Width(f), Width(&bytes.Buffer{}); n != 0 || m != 0 {
		t.Errorf("a file is %d wide, a buffer %d; want 0", n, m)
	}
}
