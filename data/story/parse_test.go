package story

import (
	"reflect"
	"testing"
)

// What is known of a story by its making must be what is read off its text.
func TestParse(t *testing.T) {
	for i := range 2000 {
		s := Generate(7, i)
		want := s.Labels()
		got, far, ok := Parse(s.Text)
		if !ok || far != len(s.Text) {
			t.Fatalf("story %d isn't one: %d of %d bytes\n%s", i, far, len(s.Text), s.Text)
		}
		for i := range want.Questions { // whose wrong answers are drawn
			want.Questions[i].Wrong, got.Questions[i].Wrong = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("story %d: labels %+v, want %+v", i, got, want)
		}
	}
}

func TestParseFar(t *testing.T) {
	s := Generate(1, 0).Text
	for _, c := range []struct {
		text      string
		low, high int
	}{
		{"", 0, 0},
		{"Nothing of the kind.", 0, 2},
		{s[:len(s)/2], len(s) / 2, len(s) / 2},
		{s + " x", len(s), len(s) + 1},
		{s[:40] + "###" + s[43:], 40, 42},
	} {
		if _, far, ok := Parse(c.text); ok || far < c.low || far > c.high {
			t.Errorf("%q: far %d, ok %v, want %d to %d and no story", c.text, far, ok, c.low, c.high)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Generate(1, 0).Text)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		_, far, ok := Parse(text)
		if far > len(text) || ok && far != len(text) {
			t.Errorf("far %d of %d, ok %v", far, len(text), ok)
		}
		if _, spelt := LogProb(text); spelt != ok {
			t.Errorf("%q: Parse %v, LogProb %v", text, ok, spelt)
		}
	})
}
