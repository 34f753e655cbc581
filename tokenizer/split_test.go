package tokenizer

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

var reference = regexp2.MustCompile(pattern, regexp2.None)

// referenceSplit splits with the regular expression itself, by the engine that
// tiktoken-go uses.
func referenceSplit(t testing.TB, s string) []string {
	var pieces []string
	m, err := reference.FindStringMatch(s)
	for ; m != nil && err == nil; m, err = reference.FindNextMatch(m) {
		pieces = append(pieces, m.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	return pieces
}

func split(s string) []string {
	var pieces []string
	for len(s) > 0 {
		n := nextPiece(s)
		pieces = append(pieces, s[:n])
		s = s[n:]
	}
	return pieces
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"Hello, world!", []string{"Hello", ",", " world", "!"}},
		{"we've they'll I'd it's", []string{"we", "'ve", " they", "'ll", " I", "'d", " it", "'s"}},
		{"'tis rock'n'roll", []string{"'t", "is", " rock", "'", "n", "'", "roll"}},
		{"DON'T '", []string{"DON", "'", "T", " '"}},
		{"a  b   c", []string{"a", " ", " b", "  ", " c"}},
		{"a\t\tb\n\n c \n", []string{"a", "\t", "\t", "b", "\n\n", " c", " \n"}},
		{"x\u3000\u3000磨坊2½", []string{"x", "\u3000", "\u3000", "磨坊", "2½"}},
		{"  ", []string{"  "}},
	} {
		if got := split(c.text); !slices.Equal(got, c.want) {
			t.Errorf("split(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// TestClasses compares the class of every character with the pattern's.
func TestClasses(t *testing.T) {
	for c, class := range map[string]class{`\p{L}`: letter, `\p{N}`: number, `\s`: space, `[^\s\p{L}\p{N}]`: other} {
		re := regexp2.MustCompile(c, regexp2.None)
		for r := range rune(utf8.MaxRune + 1) {
			if !utf8.ValidRune(r) {
				continue
			}
			want, err := re.MatchRunes([]rune{r})
			if err != nil {
				t.Fatal(err)
			}
			if got := slowClass(r) == class; got != want {
				t.Errorf("U+%04X: in %s %v, want %v", r, c, got, want)
			}
		}
	}
}

// hardTexts seed the fuzz tests.
var hardTexts = []string{
	"", " ", "\n", "'", "a", "It's 7:45,  isn't it?\n\n\tNo… ", "'s'S 're're!'ve",
	"磨坊主的女儿有三座钟。", "e\u0301 \u00a0x\u3000\u2003y \u200bz", "🕰️👩‍🌾\r\n\r\n x",
	"aaaaaaaaaaaaaaaaaaaaaaa bbbb", "<|endoftext|>", "½ Ⅻ ٣٤٥ 12a", "\ufffd\x00\x7f",
	" \t \n  a\v\f\u0085b", strings.Repeat("ab", 300), strings.Repeat("a b\n", 50),
}

func FuzzSplit(f *testing.F) {
	for _, s := range hardTexts {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, size int) {
		if !utf8.ValidString(s) {
			t.Skip()
		}
		want := referenceSplit(t, s)
		if got := split(s); !slices.Equal(got, want) {
			t.Fatalf("split(%q) = %q, want %q", s, got, want)
		}
		var parts, pieces []string
		for part := range cut(s, max(1, size), cuttable) {
			parts = append(parts, part)
			pieces = append(pieces, split(part)...)
		}
		if !slices.Equal(pieces, want) {
			t.Fatalf("cut into %q: pieces %q, want %q", parts, pieces, want)
		}
	})
}

// TestCut makes sure that cutting happens at all, and only where it may.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"one two three", []string{"one", " two", " three"}},
		{"one   two", []string{"one", "   two"}},
		{"一 \u3000 二", []string{"一", " \u3000 二"}},
		{"\u3000\u3000 一", []string{"\u3000\u3000 一"}},
		{"nowhere", []string{"nowhere"}},
	} {
		if got := slices.Collect(cut(c.text, 2, cuttable)); !slices.Equal(got, c.want) {
			t.Errorf("cut(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
