package story

import (
	"reflect"
	"testing"
)

// What is known of a story by its making must be what is read off its text.
func TestParse(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		for i := range 2000 {
			s := lang.Generate(7, i)
			want := s.Labels()
			got, far, ok := lang.Parse(s.Text)
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
	})
}

func TestParseFar(t *testing.T) {
	s := English.Generate(1, 0).Text
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
		if _, far, ok := English.Parse(c.text); ok || far < c.low || far > c.high {
			t.Errorf("%q: far %d, ok %v, want %d to %d and no story", c.text, far, ok, c.low, c.high)
		}
	}
}

// Of a story that breaks off, or goes on with something else, the beginning says what it
// can.
func TestParseBegun(t *testing.T) {
	each(t, func(t *testing.T, lang *Language) {
		topics := 0
		for i := range 300 {
			s := lang.Generate(9, i)
			want := s.Labels()
			cut := want.Sentences[len(want.Sentences)-1].Start
			got, _, ok := lang.Parse(s.Text[:cut] + "Nothing else happened.")
			if ok || got.Hero != want.Hero || got.Topic != want.Topic && got.Topic != "" || len(got.Questions) > 0 {
				t.Fatalf("of all but the last sentence it knows %q, %q, want %q, %q:\n%s", got.Hero, got.Topic, want.Hero, want.Topic, s.Text)
			}
			if got.Topic != "" {
				topics++
			}
			opening := s.Text[:want.Sentences[0].End]
			if got, _, _ := lang.Parse(opening + " Then all was over."); got.Topic != "" {
				t.Errorf("the opening %q says topic %q, though stories of all topics begin so", opening, got.Topic)
			}
		}
		if topics < 290 {
			t.Errorf("the topic of only %d of 300 stories is known before their last sentence", topics)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(English.Generate(1, 0).Text)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		_, far, ok := English.Parse(text)
		if far > len(text) || ok && far != len(text) {
			t.Errorf("far %d of %d, ok %v", far, len(text), ok)
		}
		if _, spelt := English.LogProb(text); spelt != ok {
			t.Errorf("%q: Parse %v, LogProb %v", text, ok, spelt)
		}
	})
}
