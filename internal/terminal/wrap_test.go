package terminal

import (
	"bytes"
	"fmt"
	"testing"
)

// Lines break between words, Chinese anywhere, and go on with the same indentation; a word
// longer than a line is left whole.
func TestWrap(t *testing.T) {
	for _, k := range []struct{ text, want string }{
		{"Mia was a cat\n", "Mia was a\ncat\n"},
		{"  /seed N  seed\n", "  /seed N\n  seed\n"},
		{"    Mia was ill\n    again\n", "    Mia\n    was\n    ill\n    again\n"},
		{"one two  \nx\n", "one two\nx\n"},
		{"a:  bc de fg\n", "a:  bc de\n    fg\n"},
		{"a: bc de fg\n", "a: bc de\nfg\n"},
		{" a  bc de  fg\n", " a  bc de\n    fg\n"},
		{"ab 小红有一只猫\n", "ab 小红有\n一只猫\n"},
		{"abcdefghijklmn o\n", "abcdefghijklmn o\n"},
		{"0123456789 a\n", "0123456789\na\n"},
	} {
		for _, part := range []int{1, 3, 100} {
			var out bytes.Buffer
			w := &wrapper{w: &out, columns: func() int { return 10 }}
			for rest := []rune(k.text); len(rest) > 0; {
				n := min(part, len(rest))
				if _, err := w.Write([]byte(string(rest[:n]))); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if out.String() != k.want {
				t.Errorf("%q in parts of %d: %q, want %q", k.text, part, out.String(), k.want)
			}
		}
	}
}

// A terminal gets prose with its lines broken and without control characters, a file as it is.
func TestProse(t *testing.T) {
	s := newScreen(10)
	fmt.Fprintln(Prose(s), "Mia was\x07 a cat")
	expect(t, s, "Mia was␇ a", "cat")
	var file bytes.Buffer
	fmt.Fprintln(Prose(&file), "Mia was\x07 a cat")
	if file.String() != "Mia was\x07 a cat\n" {
		t.Errorf("a file gets %q", file.String())
	}
}
