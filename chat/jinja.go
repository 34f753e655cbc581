package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ardanlabs/jinja"

	"tinygpt/data/instruct"
	"tinygpt/internal/terminal"
	"tinygpt/tokenizer"
)

// Jinja is the template that a model from elsewhere came with, in the language Jinja, as
// apply_chat_template of transformers reads it. It can read no files, and its time and memory
// are bounded; see limits.
type Jinja struct {
	tokenizer tokenizer.Tokenizer
	names     tokenizer.SpecialNames
	template  *jinja.Template
	begin     string      // bos_token
	end       string      // eos_token
	lead      string      // what Lead returns
	stop      []string    // what Stop returns
	ends      []int32     // what End returns
	stuck     atomic.Bool // the template didn't end in time
}

// hidden is inserted into the names of special tokens in what people write, so that they don't
// become special tokens. It isn't assigned to a character.
const hidden = "\U0010FFFF"

// newJinja reads a tokenizer's template, tries it, and learns from a short conversation what
// ends an answer.
func newJinja(t tokenizer.Tokenizer) (*Jinja, error) {
	source, err := prepare(tokenizer.ChatTemplate(t))
	if err != nil {
		return nil, err
	}
	j := &Jinja{tokenizer: t, names: tokenizer.NewSpecialNames(t)}
	if slices.ContainsFunc(t.SpecialTokens(), func(s tokenizer.SpecialToken) bool { return utf8.RuneCountInString(s.Name) < 2 }) {
		return nil, errors.New("a special token has a name of one character")
	}
	if j.template, err = jinja.Compile(source); err != nil {
		return nil, err
	}
	for _, s := range t.SpecialTokens() {
		switch s.ID {
		case t.EndOfText():
			j.end = s.Name
			if j.begin == "" {
				j.begin = s.Name // GPT-2's files name one token as both
			}
		case tokenizer.Begin(t):
			j.begin = s.Name
		}
	}
	return j, j.learn()
}

// learn finds out what the template writes between a question's prompt and the answer, and
// between the answer and the next question, which ends an answer.
func (j *Jinja) learn() error {
	const answer, next = "Vqxu", "Wzyj"
	talk := []Message{{Role: instruct.User, Content: "Hi"}, {Role: instruct.Assistant, Content: answer}, {Role: instruct.User, Content: next}}
	prompt, err := j.text(talk[:1])
	if err != nil {
		return err
	}
	all, err := j.text(talk)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(all, answer)
	after, _, again := strings.Cut(rest, next)
	if !found || !again {
		return errors.New("it leaves out what was said")
	}
	if lead, ok := strings.CutPrefix(before, prompt); ok && j.firstSpecial(lead) < 0 {
		j.lead = lead
	}
	j.ends = endOfText(j.tokenizer)
	if end := j.firstSpecial(after); end >= 0 {
		if !slices.Contains(j.ends, end) {
			j.ends = append(j.ends, end)
		}
	} else if after = strings.TrimRightFunc(after, unicode.IsSpace); strings.TrimSpace(after) != "" {
		j.stop = []string{after}
	}
	return nil
}

// firstSpecial returns the special token whose name comes first in a text; −1 if there is none.
func (j *Jinja) firstSpecial(text string) int32 {
	at, first := len(text), int32(-1)
	for _, s := range j.tokenizer.SpecialTokens() {
		if i := strings.Index(text, s.Name); i >= 0 && i < at {
			at, first = i, s.ID
		}
	}
	return first
}

// Name returns "jinja".
func (*Jinja) Name() string { return "jinja" }

// Lead returns what the template writes between a prompt and an answer, like a line's end.
func (j *Jinja) Lead() string { return j.lead }

// Stop returns what the template writes after an answer if that isn't a special token.
func (j *Jinja) Stop() []string { return j.stop }

// End returns the end of text, and the special token that the template writes after an answer.
func (j *Jinja) End() []int32 { return j.ends }

// Render returns the ids that apply_chat_template returns, except that a name of a special token
// in a message is ordinary text. A conversation that the template refuses, a template that takes
// too long, and a message that isn't UTF-8 are errors.
func (j *Jinja) Render(messages []Message) ([]int32, error) {
	talk := slices.Clone(messages)
	for i, m := range talk {
		if !utf8.ValidString(m.Content) || strings.Contains(m.Content, hidden) {
			return nil, fmt.Errorf("message %d isn't text in UTF-8, or has %U, which isn't a character: leave it out", i+1, []rune(hidden)[0])
		}
		talk[i].Content = j.hide(m.Content)
	}
	text, err := j.text(talk)
	if err != nil {
		return nil, err
	}
	return tokenizer.EncodeSpecial(shown{j.tokenizer}, text)
}

// hide inserts hidden into the names of special tokens in a text.
func (j *Jinja) hide(text string) string { return j.names.Break(text, hidden) }

// shown is a tokenizer that undoes hide.
type shown struct{ tokenizer.Tokenizer }

// Encode encodes text as it was before hide.
func (t shown) Encode(text string) ([]int32, error) {
	return t.Tokenizer.Encode(strings.ReplaceAll(text, hidden, ""))
}

// text returns what the template makes of a conversation, with the beginning of an answer.
func (j *Jinja) text(messages []Message) (string, error) {
	late := fmt.Errorf("the model's chat template takes longer than %v", renderTime)
	if j.stuck.Load() {
		return "", late
	}
	list, size := make([]any, len(messages)), 0
	for i, m := range messages {
		list[i] = map[string]any{"role": string(m.Role), "content": m.Content}
		size += len(m.Role) + len(m.Content)
	}
	values := newLimits(size + 200*len(messages)).functions()
	values["messages"], values["add_generation_prompt"] = jinja.FromGoValue(list), jinja.NewBool(true)
	values["bos_token"], values["eos_token"] = jinja.NewString(j.begin), jinja.NewString(j.end)
	values["tools"], values["documents"] = jinja.FromGoValue(nil), jinja.FromGoValue(nil)
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("%v", p)
			}
			done <- r
		}()
		r.text, r.err = j.template.RenderValues(values)
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("the model's chat template refuses the conversation: %s", terminal.Visible(r.err.Error()))
		}
		return r.text, nil
	case <-time.After(renderTime):
		j.stuck.Store(true) // its goroutine can't be stopped: don't start another
		return "", late
	}
}
