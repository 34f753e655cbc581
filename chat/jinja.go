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

// Jinja is the template of a model that came from elsewhere: its own, in Jinja, as
// apply_chat_template of transformers reads it. It reads no files, and its
// time and memory are bounded; see limits.
type Jinja struct {
	tokenizer tokenizer.Tokenizer
	template  *jinja.Template
	begin     string // bos_token
	end       string // eos_token
	lead      string
	stop      []string
	ends      []int32
	stuck     atomic.Bool // the template didn't end in time
}

// hidden, which is no character, parts names of special tokens in what people write.
const hidden = "\U0010FFFF"

// newJinja reads a tokenizer's template, tries it, and learns from a short conversation what
// ends an answer.
func newJinja(t tokenizer.Tokenizer) (*Jinja, error) {
	source, err := prepare(tokenizer.ChatTemplate(t))
	if err != nil {
		return nil, err
	}
	j := &Jinja{tokenizer: t}
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

// learn finds what the template writes between a question's prompt and the answer, and
// between the answer and the next question.
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

// firstSpecial is the first special token whose name is in a text; -1: none.
func (j *Jinja) firstSpecial(text string) int32 {
	at, first := len(text), int32(-1)
	for _, s := range j.tokenizer.SpecialTokens() {
		if i := strings.Index(text, s.Name); i >= 0 && i < at {
			at, first = i, s.ID
		}
	}
	return first
}

// Name is jinja.
func (*Jinja) Name() string { return "jinja" }

// Lead is what the template writes between a prompt and an answer, like a line's end.
func (j *Jinja) Lead() string { return j.lead }

// Stop has what the template writes after an answer if that is no special token.
func (j *Jinja) Stop() []string { return j.stop }

// End has the special token that the template writes after an answer, and the end of text.
func (j *Jinja) End() []int32 { return j.ends }

// Render gives the ids that apply_chat_template gives, but names of special tokens that people
// write out are ordinary text.
func (j *Jinja) Render(messages []Message) ([]int32, error) {
	talk := slices.Clone(messages)
	for i, m := range talk {
		if !utf8.ValidString(m.Content) || strings.Contains(m.Content, hidden) {
			return nil, fmt.Errorf("message %d isn't text in UTF-8, or holds %U, which is no character", i+1, []rune(hidden)[0])
		}
		talk[i].Content = j.hide(m.Content)
	}
	text, err := j.text(talk)
	if err != nil {
		return nil, err
	}
	return tokenizer.EncodeSpecial(shown{j.tokenizer}, text)
}

// hide parts the names of special tokens in a text.
func (j *Jinja) hide(text string) string {
	var b strings.Builder
	for i, r := range text {
		b.WriteRune(r)
		named := func(s tokenizer.SpecialToken) bool { return strings.HasPrefix(text[i:], s.Name) }
		if slices.ContainsFunc(j.tokenizer.SpecialTokens(), named) {
			b.WriteString(hidden)
		}
	}
	return b.String()
}

// shown encodes what was hidden as it was written.
type shown struct{ tokenizer.Tokenizer }

// Encode leaves out what parts the names.
func (t shown) Encode(text string) ([]int32, error) {
	return t.Tokenizer.Encode(strings.ReplaceAll(text, hidden, ""))
}

// text runs the template.
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
		j.stuck.Store(true) // it runs on: once is enough
		return "", late
	}
}
