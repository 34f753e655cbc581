package finetune

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/internal/expect"
	"tinygpt/tokenizer"
)

// spell writes a sequence with letters for tokens, and ^ | $ for the special ones.
func spell(seq []int32, s Special) string {
	var b strings.Builder
	for _, t := range seq {
		switch t {
		case s.Start:
			b.WriteByte('^')
		case s.Delimiter:
			b.WriteByte('|')
		case s.Extract:
			b.WriteByte('$')
		default:
			b.WriteByte(byte(t))
		}
	}
	return b.String()
}

func bytesOf(text string) (out []int32) {
	for _, c := range []byte(text) {
		out = append(out, int32(c))
	}
	return out
}

var testSpecial = Special{1000, 1001, 1002}

// Each task arranges its parts as the paper's figure 1 has it.
func TestArrangement(t *testing.T) {
	for name, want := range map[string][]string{
		"classification": {"^abc$"},
		"entailment":     {"^abc|de$"},
		"similarity":     {"^abc|de$", "^de|abc$"},
		"choice":         {"^abc|x$", "^abc|yz$", "^abc|w$"},
		"tagging":        {"^pqr|pqr$"},
	} {
		p := parts{
			texts:   [][]int32{bytesOf("abc"), bytesOf("de")},
			choices: [][]int32{bytesOf("x"), bytesOf("yz"), bytesOf("w")},
			words:   [][]int32{bytesOf("pq"), bytesOf("r")},
		}
		f := sequenceBuilder{special: testSpecial, room: 20, truncate: Middle}
		var got []string
		for _, s := range tasks[name].arrange(&f, p) {
			got = append(got, spell(s, testSpecial))
		}
		if !slices.Equal(got, want) || f.cut {
			t.Errorf("%s: %q, want %q; cut: %v", name, got, want, f.cut)
		}
		if name == "tagging" && !slices.Equal(f.words, []int{6, 7}) {
			t.Errorf("words are labelled at %v", f.words)
		}
	}
}

func TestTruncation(t *testing.T) {
	for _, c := range []struct {
		truncate string
		room     int
		texts    []string
		want     string
	}{
		{Middle, 8, []string{"abcdef"}, "^abcdef$"},
		{Middle, 7, []string{"abcdef"}, "^abcef$"},
		{Middle, 6, []string{"abcdef"}, "^abef$"},
		{Start, 6, []string{"abcdef"}, "^cdef$"},
		{End, 6, []string{"abcdef"}, "^abcd$"},
		// The longer text loses first, then both the same.
		{End, 10, []string{"abcdefgh", "xy"}, "^abcde|xy$"},
		{End, 8, []string{"abcdefgh", "wxyz"}, "^ab|wx$"},
		{Start, 9, []string{"abcdefgh", "wxyz"}, "^fgh|xyz$"},
		{Middle, 8, []string{"a", "uvwxyz"}, "^a|uvyz$"},
	} {
		b := sequenceBuilder{special: testSpecial, room: c.room, truncate: c.truncate}
		var texts [][]int32
		total := 1 + len(c.texts)
		for _, s := range c.texts {
			texts = append(texts, bytesOf(s))
			total += len(s)
		}
		if got := spell(b.sequence(texts...), testSpecial); got != c.want || b.cut != (total > c.room) {
			t.Errorf("%v: %s, cut %v", c, got, b.cut)
		}
	}
	b := sequenceBuilder{special: testSpecial, room: 9, truncate: Middle}
	got := spell(b.repeated([][]int32{bytesOf("ab"), bytesOf("c"), bytesOf("d"), bytesOf("")}), testSpecial)
	if got != "^abc|abc$" || !b.cut || !slices.Equal(b.words, []int{6, 7, -1, -1}) {
		t.Errorf("a long sentence is %s with words at %v, cut: %v", got, b.words, b.cut)
	}
}

// Special tokens get ids of their own once, and none that a text can have.
func TestExtend(t *testing.T) {
	base := tokenizer.NewByte()
	tok, s, err := Extend(base)
	if err != nil {
		t.Fatal(err)
	}
	n := int32(base.VocabSize())
	if want := (Special{n, n + 1, n + 2}); s != want || tok.VocabSize() != int(n)+3 {
		t.Errorf("%+v in a vocabulary of %d", s, tok.VocabSize())
	}
	again, same, err := Extend(tok)
	if err != nil || same != s || again.VocabSize() != tok.VocabSize() {
		t.Errorf("extended twice: %+v, %v", same, err)
	}
	ids, err := tok.Encode(StartName + ExtractName)
	if err != nil || slices.ContainsFunc(ids, s.has) {
		t.Errorf("a text with the names of special tokens is %v: %v", ids, err)
	}
}

func TestItems(t *testing.T) {
	tok, s, err := Extend(tokenizer.NewByte())
	if err != nil {
		t.Fatal(err)
	}
	e := &Encoder{Tokenizer: tok, Special: s, Context: 12, Setup: Setup{Config: Config{Task: "tagging", Truncate: Middle}, Found: Found{Classes: []string{"O", "B-x", "I-x"}}}}
	x := labelled.Example{File: "f", Line: 3, Tokens: []string{"ab", "c"}, Tags: []string{"O", "B-x"}}
	items, err := e.Items([]labelled.Example{x}, true)
	if err != nil {
		t.Fatal(err)
	}
	// Words but the first begin with a space.
	if got := len(items[0].Sequences[0]); got != 1+4+1+4+1 || !slices.Equal(items[0].Tags, []int32{0, 1}) || !slices.Equal(items[0].Words, []int{7, 9}) {
		t.Errorf("%+v", items[0])
	}
	for want, spoil := range map[string]func(){
		`f:3: the tag "B-y"`:                func() { x.Tags[1] = "B-y" },
		"a context of 7 tokens has no room": func() { e.Context = 7 },
	} {
		spoil()
		_, err := e.Items([]labelled.Example{x}, true)
		expect.Error(t, err, want)
		x.Tags[1], e.Context = "B-x", 12
	}
	chars, special := characters(t)
	e = &Encoder{Tokenizer: chars, Special: special, Context: 12, Setup: Setup{Config: Config{Task: "classification", Truncate: End}}}
	if _, err := e.Items([]labelled.Example{{File: "f", Line: 9, Texts: []string{"aä"}}}, false); err == nil || !strings.HasPrefix(err.Error(), "f:9: ") {
		t.Errorf("a character that the tokenizer hasn't: %v", err)
	}
	if n := Truncated([]*Item{{Cut: true}, {}}); n != 1 {
		t.Error(fmt.Sprint(n, " are truncated"))
	}
}
