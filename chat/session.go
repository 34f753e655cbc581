package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/internal/terminal"
	"tinygpt/sample"
	"tinygpt/tokenizer"
)

// Session is a conversation in a terminal.
type Session struct {
	Decoder   sample.Decoder // its sequences are the maximum number of answers at a time
	Tokenizer tokenizer.Tokenizer
	Template  Template
	Options   sample.Options
	Seed      uint64    // of the next answer; it grows with each answer
	Model     string    // the model's name, for Feedback
	Feedback  *Feedback // nil: none is kept
	Out       io.Writer
	// Interrupted, unless nil, returns the context of an answer, which ends when the user
	// presses Ctrl-C.
	Interrupted func(context.Context) (context.Context, context.CancelFunc)

	batch   *sample.Batch
	system  string // the system text, if any
	turns   []turn
	choices int             // answers at a time
	saved   map[string]bool // the files that this session has made
	dropped int             // the number of oldest turns that didn't fit into the last prompt
}

// turn is the user's message with the model's answers.
type turn struct {
	question string
	seed     uint64 // of the first answer
	requests []sample.Request
	answers  []sample.Text
	used     int // the answer that the conversation goes on with
}

// errQuit ends a session.
var errQuit = errors.New("quit")

// Run answers the lines that next returns, one after another, until next returns io.EOF or the
// user writes /quit. Another error of next, and the end of ctx, it returns; mistakes of the user
// are written to Out.
func (s *Session) Run(ctx context.Context, next func() (line string, err error)) error {
	s.batch, s.choices = sample.NewBatch(s.Decoder, s.Tokenizer), 1
	fmt.Fprintf(s.Out, "Chat with %s (template: %s). /help lists the commands; Ctrl-C stops an answer, Ctrl-D ends.\n", s.Model, s.Template.Name())
	for {
		line, err := next()
		if line = strings.TrimRight(line, "\r\n"); err == nil || line != "" {
			err = errors.Join(err, s.line(ctx, line))
		}
		switch {
		case errors.Is(err, errQuit), errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// line does what a line asks for. It returns errQuit and the end of ctx; other errors it writes
// to Out.
func (s *Session) line(ctx context.Context, line string) (err error) {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "/") && !strings.HasPrefix(line, "//"):
		err = s.command(ctx, line)
	default:
		s.turns = append(s.turns, turn{question: strings.TrimPrefix(line, "/"), seed: s.Seed})
		if err = s.answer(ctx); err != nil {
			s.turns = s.turns[:len(s.turns)-1]
		}
	}
	if err == nil || errors.Is(err, errQuit) || ctx.Err() != nil {
		return err
	}
	fmt.Fprintln(s.Out, err)
	return nil
}

// messages returns the conversation up to the last question, without the oldest n turns and
// without answers to the last question.
func (s *Session) messages(n int) (list []Message) {
	if s.system != "" {
		list = append(list, Message{Role: instruct.System, Content: s.system})
	}
	for i, t := range s.turns[n:] {
		list = append(list, Message{Role: instruct.User, Content: t.question})
		if n+i < len(s.turns)-1 {
			list = append(list, Message{Role: instruct.Assistant, Content: t.text()})
		}
	}
	return list
}

// answerShare is the inverse of the share of the context that is kept free for an answer: a
// quarter.
const answerShare = 4

// prompt renders the conversation. It leaves out the oldest turns until the context has room
// for an answer. room is how many tokens the answer may have.
func (s *Session) prompt() (ids []int32, room int, err error) {
	context := s.Decoder.Config().Context
	wanted := min(s.Options.MaxTokens, max(1, context/answerShare))
	last := len(s.turns) - 1
	n := min(s.dropped, last) // a long conversation is rendered a few times for each turn, not from its beginning
	if ids, err = s.Template.Render(s.messages(n)); err != nil {
		return nil, 0, err
	}
	for n < last && context-len(ids) < wanted {
		n++
		if ids, err = s.Template.Render(s.messages(n)); err != nil {
			return nil, 0, err
		}
	}
	for n > 0 && n <= s.dropped { // there may be room for older turns again
		more, err := s.Template.Render(s.messages(n - 1))
		if err != nil {
			return nil, 0, err
		}
		if context-len(more) < wanted {
			break
		}
		n, ids = n-1, more
	}
	if room = context - len(ids); room <= 0 {
		return nil, 0, fmt.Errorf("the message has %d tokens, with the system text and the template's: the model's context has %d; write a shorter message", len(ids), context)
	}
	if n != s.dropped && n > 0 {
		fmt.Fprintf(s.Out, "(the context of %d tokens is full: the model doesn't see the oldest %d of %d turns)\n", context, n, len(s.turns))
	}
	s.dropped = n
	return ids, min(room, s.Options.MaxTokens), nil
}

// answer answers the last question s.choices times, with consecutive seeds from the turn's on,
// and shows the answers.
func (s *Session) answer(ctx context.Context) error {
	t := &s.turns[len(s.turns)-1]
	requests, err := s.requests(t.seed)
	if err != nil {
		return err
	}
	shown := slices.Clone(requests)
	if len(shown) == 1 {
		shown[0].OnToken = s.printer()
	}
	texts, err := s.draw(ctx, shown)
	if err != nil {
		return err
	}
	s.Seed = t.seed + uint64(len(texts))
	t.requests, t.answers, t.used = requests, texts, 0
	if len(texts) > 1 {
		for i, a := range texts {
			fmt.Fprintf(s.Out, "%d) %s\n", i+1, terminal.Visible(strings.TrimSpace(a.Text)))
		}
		fmt.Fprintf(s.Out, "(/rank %s orders them, best first; /use N goes on with another than 1)\n", numbers(len(texts)))
		return nil
	}
	switch {
	case strings.TrimSpace(texts[0].Text) == "":
		fmt.Fprint(s.Out, "(an empty answer)")
	case texts[0].Finish == sample.Length:
		fmt.Fprint(s.Out, " …")
	}
	fmt.Fprintln(s.Out)
	return nil
}

// printer returns an OnToken that writes the characters of an answer as they come, without
// white space at its beginning.
func (s *Session) printer() func(*sample.Step) bool {
	begun := false
	return func(step *sample.Step) bool {
		text := step.Text
		if !begun {
			text = strings.TrimLeft(text, " \n")
			begun = text != ""
		}
		_, err := io.WriteString(s.Out, terminal.Visible(text))
		return err == nil
	}
}

// requests returns the requests for answers to the last question, with seeds from seed on.
func (s *Session) requests(seed uint64) ([]sample.Request, error) {
	ids, room, err := s.prompt()
	if err != nil {
		return nil, err
	}
	o := s.Options
	o.MaxTokens = room
	o.Stop = append(slices.Clone(o.Stop), s.Template.Stop()...)
	requests := make([]sample.Request, s.choices)
	for i := range requests {
		requests[i] = sample.Request{Prompt: ids, Options: o, Seed: seed + uint64(i), End: s.Template.End()}
	}
	return requests, nil
}

// draw draws texts until they end. If the user interrupts, it returns what was drawn so far; if
// ctx ends, its error.
func (s *Session) draw(ctx context.Context, requests []sample.Request) ([]sample.Text, error) {
	answering, stop := ctx, context.CancelFunc(func() {})
	if s.Interrupted != nil {
		answering, stop = s.Interrupted(ctx)
	}
	defer stop()
	var running []*sample.Text
	for _, r := range requests {
		r.Context = answering
		text, err := s.batch.Add(r)
		if err != nil {
			s.batch.Abandon(err)
			return nil, err
		}
		running = append(running, text)
	}
	for s.batch.Len() > 0 {
		if err := s.batch.Step(); err != nil {
			s.batch.Abandon(err)
			return nil, err
		}
	}
	texts := make([]sample.Text, len(running))
	for i, text := range running {
		texts[i] = *text
		texts[i].Text = strings.TrimPrefix(text.Text, s.Template.Lead())
		if text.Err != nil && answering.Err() == nil {
			return nil, text.Err
		}
	}
	return texts, ctx.Err()
}

// numbers returns "1 2 … n".
func numbers(n int) string {
	var words []string
	for i := range n {
		words = append(words, fmt.Sprint(i+1))
	}
	return strings.Join(words, " ")
}
