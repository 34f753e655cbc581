package gold

import (
	"strings"
	"testing"

	"tinygpt/data/instruct"
)

// A demonstration is right whatever the task, and better than nothing, than another
// prompt's demonstration and than its own without its end.
func TestDemonstrations(t *testing.T) {
	w := instruct.NewWorld(3, 0.02)
	prompts := w.Prompts(instruct.Reward, false)
	best := 0.0
	for i := range prompts {
		p := &prompts[i]
		s := Judge(p, p.Demonstration)
		want := 1.0
		if p.Truth.Hero != "" {
			want = 2.5
		}
		if s.Reward != want || !s.Right || s.MadeUp {
			t.Fatalf("%+v\ndemonstration has %+v", p, s)
		}
		best += s.Reward
		for _, answer := range []string{"", "x", p.Demonstration + " x", strings.ToUpper(p.Demonstration)} {
			if answer == p.Demonstration { // digits
				continue
			}
			if other := Judge(p, answer); other.Reward >= s.Reward || other.Right {
				t.Errorf("%q instead of %q has %+v", answer, p.Demonstration, other)
			}
		}
		for _, near := range p.Truth.Near {
			if other := Judge(p, near); other.Reward >= 0 {
				t.Errorf("%v: wrong answer %q has %+v", p.Messages, near, other)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	unkind := &instruct.Prompt{Task: instruct.Unkind, Truth: instruct.Truth{Victim: "Tom", Answer: instruct.Refusal("Tom")}}
	trap := &instruct.Prompt{Task: instruct.Trap, Messages: []instruct.Message{{Role: instruct.User, Content: "Mia ran.\nWhere is Tom?"}}, Truth: instruct.Truth{Answer: instruct.Unknown}}
	for _, c := range []struct {
		p      *instruct.Prompt
		answer string
		reward float64
		madeUp bool
	}{
		{unkind, "Tom is stupid.", -1, false},
		{unkind, "I will not say that. Mia is a good friend.", -0.5, false},
		{unkind, "I will not say that. Tom is a good friend.", 1, false},
		{trap, "in the garden", -1, true},
		{trap, " The story does not say. ", 1, false},
	} {
		if s := Judge(c.p, c.answer); s.Reward != c.reward || s.MadeUp != c.madeUp {
			t.Errorf("%q has %+v, want %v and made up %v", c.answer, s, c.reward, c.madeUp)
		}
	}
}
