package chat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"tinygpt/data/instruct"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/model/modeltest"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// newSession is a conversation with a small model of random weights.
func newSession(t *testing.T, context int) (*Session, *bytes.Buffer) {
	t.Helper()
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: context, VocabSize: 257, InitStd: 0.3}, 3)
	tok, out := tokenizer.NewByte(), &bytes.Buffer{}
	o := sample.Default()
	o.MaxTokens = 10
	return &Session{
		Decoder: m.NewDecoder(4), Tokenizer: tok, Template: Plain{tok}, Options: o, Seed: 1, Model: "m",
		Feedback: &Feedback{Path: fixture.NewPath(t, "feedback.jsonl")}, Out: out,
	}, out
}

// talk types lines and returns what is printed for each.
func talk(t *testing.T, s *Session, out *bytes.Buffer, lines ...string) (answers []string) {
	t.Helper()
	n := -1
	err := s.Run(t.Context(), func() (string, error) {
		if n >= 0 {
			answers = append(answers, strings.TrimSpace(out.String()))
		}
		out.Reset()
		if n++; n == len(lines) {
			return "", io.EOF
		}
		return lines[n] + "\n", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func TestSession(t *testing.T) {
	s, out := newSession(t, 400)
	got := talk(t, s, out, "Hello", "/regen", "/seed 1", "/regen", "/show 100", "/good", "And?", "/edit Better",
		"/answers 3", "Choose", "/rank 2 1=3", "/bad", "/temperature 0", "/temperature", "/temperature hot", "/nothing", "/rank 1", "/system You are kind.", "/reset", "/good", "//slash", "", "/regenn", "/show", "/quit", "not said")
	if len(got) != 24 { // nothing after /quit
		t.Fatalf("%d answers: %q", len(got), got)
	}
	if got[0] == "" || got[1] == got[0] || got[3] != got[0] {
		t.Errorf("seeds 1, 2, 1 gave %q, %q, %q", got[0], got[1], got[3])
	}
	for i, want := range map[int]string{
		2: "the seed 1", 4: "▶", 5: "(noted in ", 7: "(noted in ", 9: "2) ", 10: "(noted in ", 11: "(noted in ", 12: "(temperature is 0)", 13: "(temperature is 0)", 14: "expected a number",
		15: "no command /nothing", 16: "expected each of 1 to 3 once", 18: "forgotten", 19: "nothing was said yet", 22: "did you mean /regen?", 23: "2 of 10 tokens; /show 10 shows all",
	} {
		if !strings.Contains(got[i], want) {
			t.Errorf("answer %d is %q, want %q in it", i, got[i], want)
		}
	}
	if nearest("temp") != "/temperature" || nearest("xyzzy") != "" {
		t.Errorf("temp is taken for %q", nearest("temp"))
	}
	if n := strings.Count(got[4], "▶"); n != 10 {
		t.Errorf("%d tokens shown, want 10", n)
	}
	examples, err := instruct.Read(s.Feedback.Path)
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) != 4 || !examples[0].Demonstration() || terminal.Visible(examples[0].Answers[0]) != strings.TrimSuffix(got[0], " …") ||
		examples[1].Answers[0] != "Better" || len(examples[2].Pairs()) != 2 || !examples[3].Bad {
		t.Errorf("%+v", examples)
	}
	if m := examples[2].Prompt; len(m) != 5 || m[3].Content != "Better" || m[4].Content != "Choose" {
		t.Errorf("the conversation of the ranking is %+v", m)
	}
}

// When the context is full the oldest turns leave, and the session says so.
func TestSessionContext(t *testing.T) {
	s, out := newSession(t, 128)
	got := talk(t, s, out, strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 200), "d")
	if strings.Contains(got[0], "full") || !strings.Contains(got[1], "doesn't see the oldest 1 of 2 turns") {
		t.Errorf("%q", got)
	}
	if !strings.Contains(got[2], "the message has") || strings.Contains(got[3], "the message has") {
		t.Errorf("%q", got)
	}
}

// counted counts what is rendered.
type counted struct {
	Template
	messages *int
}

func (c counted) Render(messages []Message) ([]int32, error) {
	*c.messages += len(messages)
	return c.Template.Render(messages)
}

// However long a conversation is, a turn renders what fits into the context a few times, and when
// there is room again the older turns are back.
func TestLongSession(t *testing.T) {
	s, out := newSession(t, 128)
	rendered := 0
	s.Template = counted{s.Template, &rendered}
	var lines []string
	for range 100 {
		lines = append(lines, "a")
	}
	talk(t, s, out, append(lines, strings.Repeat("b", 80), "c", "c", "c", "c", "c", "c", "c", "c", "c", "c", "c", "c")...)
	if rendered > 113*3*10 {
		t.Errorf("%d messages rendered for 113 turns", rendered)
	}
	visible := s.dropped
	if ids, err := s.Template.Render(s.messages(visible - 1)); err != nil || 128-len(ids) >= 10 {
		t.Errorf("turn %d would have fitted into the context: %d tokens, %v", visible, len(ids), err)
	}
}

func TestSessionSaveAndInterrupt(t *testing.T) {
	s, out := newSession(t, 300)
	path := fixture.NewPath(t, "talk.jsonl")
	talk(t, s, out, "/system Be kind", "Hi", "/save "+path)
	examples, err := instruct.Read(path)
	if err != nil || len(examples) != 1 || len(examples[0].Prompt) != 2 || !examples[0].Demonstration() {
		t.Errorf("%+v, %v", examples, err)
	}
	// It writes over what it has made itself, and over nothing else.
	other := fixture.File(t, "mine.jsonl", "mine")
	got := talk(t, s, out, "And?", "/save "+path, "/save "+other)
	if !strings.Contains(got[1], "(saved to ") || !strings.Contains(got[2], "mine.jsonl is there already") {
		t.Errorf("%q", got)
	}
	if text := expect.File(t, other); string(text) != "mine" {
		t.Errorf("%q", text)
	}
	// Ctrl-C ends an answer, and the session goes on.
	s.Interrupted = func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	if got := talk(t, s, out, "Hi", "/bad"); got[0] != "(an empty answer)" {
		t.Errorf("%q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx, func() (string, error) { return "Hi", nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A record that training could not read is refused.
func TestFeedbackRefused(t *testing.T) {
	f := &Feedback{Path: fixture.NewPath(t, "f.jsonl")}
	if err := f.Add(instruct.Record{Answers: []string{"x"}}); err == nil {
		t.Error("a record without a conversation is taken")
	}
	expect.NoFile(t, f.Path)
}

// What ends a conversation elsewhere gets the command that does here.
func TestNearest(t *testing.T) {
	expect.Texts(t, map[string]string{"exit": "/quit", "bye": "/quit", "regenn": "/regen", "temp": "/temperature", "xyz": ""}, nearest)
}
