package data

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
)

// runes encodes characters as their code points.
type runes struct{}

func (runes) Encode(text string) ([]int32, error) { return []int32(text), nil }
func (runes) EndOfText() int32                    { return utf8.MaxRune + 1 }
func (runes) VocabSize() int                      { return utf8.MaxRune + 2 }

// stream has documents of the given lengths, each with the end of text before it;
// token i is the number i.
func stream(lengths ...int) *Stream {
	s := &Stream{}
	for _, n := range lengths {
		s.Starts = append(s.Starts, len(s.Tokens))
		for range n {
			s.Tokens = append(s.Tokens, int32(len(s.Tokens)))
		}
	}
	s.Tokens = append(s.Tokens, int32(len(s.Tokens)))
	return s
}

func TestTokenize(t *testing.T) {
	s, err := Tokenize(Corpus{Documents: []Document{{"", "ab"}, {"", "ç"}}}, runes{})
	if err != nil {
		t.Fatal(err)
	}
	end := runes{}.EndOfText()
	if want := []int32{end, 'a', 'b', end, 'ç', end}; !slices.Equal(s.Tokens, want) || !slices.Equal(s.Starts, []int{0, 3}) || s.Bytes != 4 {
		t.Errorf("got %+v", s)
	}
	if err := s.Check("training", 5); err != nil {
		t.Error(err)
	}
	expect.Error(t, s.Check("training", 6), "6 tokens, a context of 6 needs at least 7")
}

// endless has no end of text.
type endless struct{ runes }

func (endless) EndOfText() int32 { return -1 }

// Without an end of text documents follow one another, and empty ones vanish.
func TestTokenizeUnseparated(t *testing.T) {
	s, err := Tokenize(Corpus{Documents: []Document{{"", "ab"}, {"", ""}, {"", "cde"}}}, endless{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32("abcde"); !slices.Equal(s.Tokens, want) || !slices.Equal(s.Starts, []int{0, 2}) || s.Bytes != 5 {
		t.Errorf("got %+v", s)
	}
	targets := ""
	for w := range s.DocumentWindows(2) {
		targets += string(s.Tokens[w.From:w.End]) + " "
	}
	if targets != "bc de " {
		t.Errorf("targets %q", targets)
	}
	inputs, after := make([]int32, 4), make([]int32, 4)
	NewSampler(s, Documents, 1, 1, 1, 4).Batch(0, 0, inputs, after)
	if got := string(inputs) + " " + string(after); got != "abcd bcde" && got != "cdea deab" {
		t.Errorf("a window and its successors are %q", got)
	}
}

func TestTokenizeOrder(t *testing.T) {
	var c Corpus
	want := []int32{runes{}.EndOfText()}
	for i := range 1000 {
		text := strings.Repeat(string(rune('a'+i%26)), i%7)
		c.Documents = append(c.Documents, Document{"", text})
		want = append(append(want, []int32(text)...), runes{}.EndOfText())
	}
	s, err := Tokenize(c, runes{})
	if err != nil || !slices.Equal(s.Tokens, want) || len(s.Starts) != 1000 {
		t.Fatal("the documents are out of order: ", err)
	}
	for i, at := range s.Starts {
		if s.Tokens[at] != (runes{}).EndOfText() {
			t.Errorf("document %d doesn't begin with an end of text", i)
		}
	}
}

// narrow knows tokens up to 'b' only. It says so of 'c', unless it is silent.
type narrow struct {
	runes
	silent bool
}

func (narrow) VocabSize() int { return 'c' }

func (n narrow) Encode(text string) ([]int32, error) {
	if !n.silent && strings.ContainsRune(text, 'c') {
		return nil, errors.New("no token for 'c'")
	}
	return []int32(text), nil
}

func TestTokenizeErrors(t *testing.T) {
	_, err := Tokenize(Corpus{Documents: []Document{{"one", "ab"}, {"two", "bc"}, {"three", "c"}}}, narrow{})
	if err == nil || err.Error() != "two: no token for 'c'" {
		t.Errorf("error %v, want that of the first document that has one", err)
	}
	defer func() {
		if r := recover(); r != "data: token 99 from an encoder of 99 tokens" {
			t.Errorf("a token out of the vocabulary: %v", r)
		}
	}()
	Tokenize(Corpus{Documents: []Document{{"", "abc"}}}, narrow{silent: true})
}
