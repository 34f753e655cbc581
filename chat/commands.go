package chat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/suggest"
	"tinygpt/internal/terminal"
	"tinygpt/sample"
)

// command is what a line that begins with / asks for.
type command struct {
	name, argument, what string // argument and what are for /help
	do                   func(s *Session, ctx context.Context, argument string) error
}

// commands returns all commands but those that change a filter, such as /temperature.
func commands() []command {
	return []command{
		{"reset", "", "forget the conversation", (*Session).reset},
		{"regen", "", "answer the last message again, with another seed", (*Session).regenerate},
		{"show", "[N]", "show what the first N tokens of the last answer were chosen from", (*Session).show},
		{"system", "TEXT", "begin the conversation with a system text", (*Session).setSystem},
		{"answers", "K", "write K answers at a time", (*Session).setChoices},
		{"use", "N", "go on with answer N", (*Session).use},
		{"rank", "N N …", "note an order of the answers, best first; N=N is a tie", (*Session).rank},
		{"good", "", "note that the last answer is good", func(s *Session, _ context.Context, _ string) error { return s.thumb(true) }},
		{"bad", "", "note that the last answer is bad", func(s *Session, _ context.Context, _ string) error { return s.thumb(false) }},
		{"edit", "TEXT", "replace the last answer with TEXT, and note TEXT as the better one", (*Session).edit},
		{"save", "FILE", "write the conversation to FILE, a line of JSON", (*Session).save},
		{"seed", "N", "set the seed of the next answer", (*Session).setSeed},
		{"max-tokens", "N", "end an answer after N tokens", (*Session).setMaxTokens},
		{"help", "", "list the commands", (*Session).help},
		{"quit", "", "end the program", func(*Session, context.Context, string) error { return errQuit }},
	}
}

// Commands lists the names of all commands, with /, for completion.
func Commands() (names []string) {
	for _, c := range commands() {
		names = append(names, "/"+c.name)
	}
	for _, f := range new(sample.Options).Filters() {
		names = append(names, "/"+f.Flag())
	}
	return names
}

// command does what a line like /temperature 0.7 asks for. Its errors are for the user.
func (s *Session) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimPrefix(line, "/"), " ")
	argument = strings.TrimSpace(argument)
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		if (argument == "") != (c.argument == "") && name != "system" && name != "show" {
			return fmt.Errorf("expected /%s", strings.TrimSpace(c.name+" "+c.argument))
		}
		return c.do(s, ctx, argument)
	}
	o := s.Options
	for _, f := range o.Filters() {
		if f.Flag() != name {
			continue
		}
		if argument == "" {
			fmt.Fprintf(s.Out, "(%s is %v)\n", name, f.Filter)
			return nil
		}
		if err := f.Set(argument); err != nil {
			return fmt.Errorf("/%s %s: %w", name, argument, err)
		}
		if err := o.Validate(); err != nil {
			return err
		}
		s.Options = o
		fmt.Fprintf(s.Out, "(%s is %s)\n", name, argument)
		return nil
	}
	if near := nearest(name); near != "" {
		return fmt.Errorf("no command /%s: did you mean %s?", terminal.Visible(name), near)
	}
	return fmt.Errorf("no command /%s: /help lists them; a message that begins with / is written with //", terminal.Visible(name))
}

// nearest returns the command, with /, that a mistyped name may mean: one that begins with it, or
// one that is spelt like it; "" if there is none.
func nearest(name string) string {
	if name == "exit" || name == "bye" { // as it is called elsewhere
		return "/quit"
	}
	names := Commands()
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "/"+name) }); i >= 0 {
		return names[i]
	}
	return suggest.Closest("/"+name, names)
}

// help lists the commands.
func (s *Session) help(context.Context, string) error {
	const nameWidth, width = 29, 79 // columns of the names, and in all
	line := func(name, what string) {
		what = strings.ReplaceAll(terminal.Wrapped(what, width-nameWidth), "\n", "\n"+strings.Repeat(" ", nameWidth))
		fmt.Fprintf(s.Out, "%-*s%s\n", nameWidth, "  "+name, what)
	}
	for _, c := range commands() {
		line(strings.TrimSpace("/"+c.name+" "+c.argument), c.what)
	}
	for _, f := range s.Options.Filters() {
		usage := strings.Split(f.Filter.Usage(), "`") // the second names the value
		line("/"+f.Flag()+" "+usage[1], strings.Join(usage, ""))
	}
	return nil
}

// last returns the last turn. It is an error if there is none.
func (s *Session) last() (*turn, error) {
	if len(s.turns) == 0 {
		return nil, errors.New("nothing was said yet: write a message first")
	}
	return &s.turns[len(s.turns)-1], nil
}

// text returns the answer that the conversation goes on with.
func (t *turn) text() string { return strings.TrimSpace(t.answers[t.used].Text) }

// reset forgets the conversation.
func (s *Session) reset(context.Context, string) error {
	s.turns, s.dropped = nil, 0
	fmt.Fprintln(s.Out, "(the conversation is forgotten)")
	return nil
}

// regenerate answers the last message again, with the session's next seed.
func (s *Session) regenerate(ctx context.Context, _ string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	before := *t
	t.seed = s.Seed
	if err := s.answer(ctx); err != nil {
		*t = before
		return err
	}
	return nil
}

// showTokens is how many tokens /show shows without a number: their tables fit on a screen.
const showTokens = 2

// show draws the last answer once more, which gives the same tokens, and shows from which
// candidates the first of them were chosen.
func (s *Session) show(ctx context.Context, text string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	tokens := len(t.answers[t.used].Tokens)
	if tokens == 0 {
		return errors.New("the model drew no tokens for the last answer, so there is nothing to show: it is empty or was edited")
	}
	left := min(showTokens, tokens)
	if text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("/show %s: expected a number of tokens, 1 or more", text)
		}
		left = min(n, tokens)
	}
	shown := left
	r := t.requests[t.used]
	r.OnToken = func(step *sample.Step) bool {
		const rows = 10
		fmt.Fprintln(s.Out, step.View(s.Tokenizer, rows).Table())
		left--
		return left > 0
	}
	if _, err = s.draw(ctx, []sample.Request{r}); err == nil && shown < tokens {
		fmt.Fprintf(s.Out, "(%d of %d tokens; /show %d shows all)\n", shown, tokens, tokens)
	}
	return err
}

// setSystem sets the system text; an empty one removes it.
func (s *Session) setSystem(_ context.Context, text string) error {
	if s.system = text; text == "" {
		fmt.Fprintln(s.Out, "(no system text)")
	} else {
		fmt.Fprintln(s.Out, "(the conversation begins with the system text)")
	}
	return nil
}

// setSeed sets the seed of the next answer.
func (s *Session) setSeed(_ context.Context, text string) (err error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("/seed %s: expected a whole number", text)
	}
	s.Seed = n
	fmt.Fprintf(s.Out, "(the next answer has the seed %d)\n", n)
	return nil
}

// setMaxTokens sets the maximum number of tokens of an answer.
func (s *Session) setMaxTokens(_ context.Context, text string) error {
	o := s.Options
	var err error
	if o.MaxTokens, err = strconv.Atoi(text); err != nil {
		return fmt.Errorf("/max-tokens %s: expected a whole number", text)
	}
	if err := o.Validate(); err != nil {
		return err
	}
	s.Options = o
	fmt.Fprintf(s.Out, "(answers have up to %d tokens)\n", o.MaxTokens)
	return nil
}

// setChoices sets how many answers are written at a time.
func (s *Session) setChoices(_ context.Context, text string) error {
	k, err := strconv.Atoi(text)
	if limit := s.Decoder.Sequences(); err != nil || k < 1 || k > limit {
		return fmt.Errorf("/answers %s: expected 1 to %d", text, limit)
	}
	s.choices = k
	fmt.Fprintf(s.Out, "(answers at a time: %d)\n", k)
	return nil
}

// use goes on with one of several answers.
func (s *Session) use(_ context.Context, text string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	switch {
	case len(t.answers) == 1:
		return fmt.Errorf("/use %s: there is one answer only; write /answers 3 to get three", text)
	case err != nil || n < 1 || n > len(t.answers):
		return fmt.Errorf("/use %s: expected 1 to %d", text, len(t.answers))
	}
	t.used = n - 1
	fmt.Fprintf(s.Out, "(the conversation goes on with answer %d)\n", n)
	return nil
}

// note appends a record about the last turn.
func (s *Session) note(r instruct.Record) error {
	if s.Feedback == nil {
		return errors.New("no feedback is kept: give a file with --feedback")
	}
	r.Messages, r.Model, r.Seed = s.messages(s.dropped), s.Model, s.turns[len(s.turns)-1].seed
	if err := s.Feedback.Add(r); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "(noted in %s)\n", s.Feedback.Path)
	return nil
}

// thumb notes that the last answer is good or bad.
func (s *Session) thumb(good bool) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	return s.note(instruct.Record{Answers: []string{t.text()}, Label: &good})
}

// rank notes an order like "2 1=3".
func (s *Session) rank(_ context.Context, text string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	k := len(t.answers)
	ranks := make([]int, k)
	wrong := fmt.Errorf("/rank %s: expected each of 1 to %d once, like /rank %s; write /answers 3 to get three answers", text, k, numbers(k))
	if k < 2 {
		return wrong
	}
	named := 0
	for rank, group := range strings.Fields(text) {
		for _, word := range strings.Split(group, "=") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 || n > k || ranks[n-1] != 0 {
				return wrong
			}
			ranks[n-1] = rank + 1
			named++
		}
	}
	if named != k {
		return wrong
	}
	var answers []string
	for _, a := range t.answers {
		answers = append(answers, strings.TrimSpace(a.Text))
	}
	t.used = slices.Index(ranks, 1)
	return s.note(instruct.Record{Answers: answers, Ranks: ranks})
}

// edit replaces the last answer with the user's, and notes that this is the better one.
func (s *Session) edit(_ context.Context, text string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	before := t.text()
	if err := s.note(instruct.Record{Chosen: instruct.Texts{Text: text}, Rejected: instruct.Texts{Text: before}}); err != nil {
		return err
	}
	t.answers = []sample.Text{{Text: text}}
	t.used = 0
	return nil
}

// save writes the conversation to a file, as a demonstration that instruct.Read can read. It
// writes over a file only if the session has made it.
func (s *Session) save(_ context.Context, path string) error {
	t, err := s.last()
	if err != nil {
		return err
	}
	var b strings.Builder
	messages := append(s.messages(0), Message{Role: instruct.Assistant, Content: t.text()})
	if err := instruct.Write(&b, []instruct.Example{{Prompt: messages[:len(messages)-1], Answers: []string{t.text()}, Ranks: []int{0}}}); err != nil {
		return err
	}
	if _, err := os.Stat(path); !s.saved[path] && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already: name another file", path)
	}
	if err := atomicfile.WriteFile(path, []byte(b.String())); err != nil {
		return err
	}
	if s.saved == nil {
		s.saved = map[string]bool{}
	}
	s.saved[path] = true
	fmt.Fprintf(s.Out, "(saved to %s)\n", path)
	return nil
}
