package data

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/fixture"
)

func TestSplit(t *testing.T) {
	one := Corpus{Documents: []Document{{"", "äöüß12345"}}}
	training, validation := one.Split(0.34)
	if training.Documents[0].Text != "äöüß1" || validation.Documents[0].Text != "2345" {
		t.Errorf("one document splits into %q and %q", training.Documents[0].Text, validation.Documents[0].Text)
	}
	var many Corpus
	for i := range 10 {
		many.Documents = append(many.Documents, Document{"", fmt.Sprint(i, "xxxxxxxx")})
	}
	if training, validation := many.Split(0.25); len(training.Documents) != 7 || len(validation.Documents) != 3 {
		t.Errorf("ten documents split into %d and %d, want 7 and 3", len(training.Documents), len(validation.Documents))
	}
	if training, validation := many.Split(0.5); len(training.Documents) != 5 || len(validation.Documents) != 5 {
		t.Errorf("ten documents split into %d and %d, want halves", len(training.Documents), len(validation.Documents))
	}
	books := Corpus{Documents: []Document{{"a", strings.Repeat("a", 60)}, {"b", strings.Repeat("b", 130)}, {"c", strings.Repeat("c", 10)}}}
	training, validation = books.Split(0.1)
	if len(training.Documents) != 2 || len(validation.Documents) != 2 || validation.Bytes() != 20 || training.Documents[1].Source != "b" {
		t.Errorf("a long document before the last isn't cut: %+v and %+v", training, validation)
	}
	if training, validation = books.Split(0.9); training.Bytes() != 20 || validation.Bytes() != 180 {
		t.Errorf("nothing is left for training: %+v and %+v", training, validation)
	}
}

func TestSplitAsNanoGPT(t *testing.T) {
	c, err := Load([]string{fixture.Path(t, "data/tinyshakespeare/input.txt")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	training, validation := c.Split(0.1)
	if training.Bytes() != 1003854 || validation.Bytes() != 111540 {
		t.Errorf("%d and %d characters, nanoGPT has 1003854 and 111540", training.Bytes(), validation.Bytes())
	}
}

func TestSplitChinese(t *testing.T) {
	const name = "data/prose_zh/hongloumeng_1-40.txt"
	raw := fixture.Read(t, name)
	c, err := Load([]string{fixture.Path(t, name)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	training, validation := c.Split(0.1)
	first, last := training.Documents[0].Text, validation.Documents[0].Text
	if first+last != string(raw) || !utf8.ValidString(first) || !utf8.ValidString(last) {
		t.Error("the splits don't add up to the text, or cut a character")
	}
}

// The hash sees texts and borders, not where they are from.
func TestSHA256(t *testing.T) {
	hash := func(texts ...string) string {
		var c Corpus
		for i, text := range texts {
			c.Documents = append(c.Documents, Document{fmt.Sprint(i), text})
		}
		return c.SHA256()
	}
	// sha256 of "2\nab3\ncde".
	if got, want := hash("ab", "cde"), "37542c11ab17cd12be8c5db0edbf3292dd21a53cd79d6822e01bcc5a89948255"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if hash("ab", "cde") == hash("abc", "de") {
		t.Error("other borders have the same hash")
	}
}

// More is held out of a small corpus, up to a tenth; a large one and a large share stay.
func TestValidationFraction(t *testing.T) {
	for _, c := range []struct {
		bytes          int
		fraction, want float64
	}{{10_000_000, 0.01, 0.01}, {1_000_000, 0.01, 0.05}, {100_000, 0.01, 0.1}, {100, 0.01, 0.1}, {100, 0.2, 0.2}, {0, 0.01, 0.1}} {
		corpus := Corpus{Documents: []Document{{Text: strings.Repeat("x", c.bytes)}}}
		if got := corpus.ValidationFraction(c.fraction); got != c.want {
			t.Errorf("%d bytes, %v: %v, want %v", c.bytes, c.fraction, got, c.want)
		}
	}
}
