package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	tok, err := TrainBPE(texts("ababX ababX ababX bX"), 261)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(mergeList(tok), "\n", "; "); got != "a b; ab X; ab abX; Ġ ababX; " {
		t.Fatalf("merges %s", got)
	}
	ids, err := tok.Encode("ababX ababX ab!")
	if err != nil {
		t.Fatal(err)
	}
	u := NewUsage(tok, append(ids, tok.EndOfText()))
	// ababX, Ġababx, Ġ, ab, !
	if u.Tokens != 5 || u.Bytes != 15 || u.Used != 5 || u.Available != 260 {
		t.Errorf("%+v", u)
	}
	merges, err := u.Merges(3)
	// ab is made twice for each ababX and once for itself.
	want := []MergeCount{{"a", "b", 256, 5}, {"ab", "X", 257, 2}, {"ab", "abX", 258, 2}}
	if err != nil || !slices.Equal(merges, want) {
		t.Errorf("merges %v, %v; want %v", merges, err, want)
	}
	if merges, _ := u.Merges(100); len(merges) != 4 {
		t.Errorf("all merges: %v", merges)
	}
	ids, err = tok.Encode("abab!!ab??????")
	if err != nil {
		t.Fatal(err)
	}
	if got := NewUsage(tok, ids).Frequent(3); !slices.Equal(got, []int32{30, 256, 0}) {
		t.Errorf("frequent tokens %v", got)
	}
	if merges, err := NewUsage(NewByte(), []int32{1, 1}).Merges(9); merges != nil || err != nil {
		t.Errorf("merges of bytes: %v, %v", merges, err)
	}
	if got := Longest(tok, 2); !slices.Equal(got, []int32{259, 258}) {
		t.Errorf("longest tokens %v", got)
	}

	lower := mustRead(t, "testdata/golden/lowercase")
	ids, err = lower.Encode("The theory")
	if err != nil {
		t.Fatal(err)
	}
	merges, err = NewUsage(lower, ids).Merges(1)
	if err != nil || len(merges) != 1 || merges[0].Left != "t" || merges[0].Right != "h" || merges[0].Count != 2 {
		t.Errorf("merges %v, %v", merges, err)
	}
}

func TestNames(t *testing.T) {
	tok, err := WithSpecialTokens(mustGPT2(t), "<a>")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int32][2]string{
		262:   {"Ġthe", " the"},
		198:   {"Ċ", `\n`},
		163:   {"ç", `\xe7`},
		0:     {"!", "!"},
		1:     {`"`, `"`},
		59:    {`\`, `\\`},
		50257: {"<a>", "<a>"},
		50258: {"", ""},
		-1:    {"", ""},
	} {
		if got := [2]string{TokenName(tok, id), Readable(tok, id)}; got != want {
			t.Errorf("token %d is %q, want %q", id, got, want)
		}
	}
	if got := TokenName(foreign{tok}, 0); got != "" {
		t.Errorf("a foreign token is called %q", got)
	}
}
