package instruct

import (
	"fmt"

	"tinygpt/tokenizer"
)

// Names of the special tokens that say who speaks next.
const (
	SystemName    = "<|system|>"
	UserName      = "<|user|>"
	AssistantName = "<|assistant|>"
)

// Template is how a conversation is written, in Jinja, as apply_chat_template in
// transformers reads it: Format gives the same ids. An answer ends with the end of text.
const Template = `{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}` +
	`{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}` +
	`{% if add_generation_prompt %}<|assistant|>{% endif %}`

// Extend returns the tokenizer with the special tokens and the template of
// conversations; those that it has already stay.
func Extend(t tokenizer.Tokenizer) (tokenizer.Tokenizer, error) {
	if t.EndOfText() < 0 {
		return nil, fmt.Errorf("tokenizer %s has no end of text, which every answer ends with", t.Name())
	}
	var missing []string
	for _, name := range []string{SystemName, UserName, AssistantName} {
		if _, ok := tokenizer.SpecialID(t, name); !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		var err error
		if t, err = tokenizer.WithSpecialTokens(t, missing...); err != nil {
			return nil, err
		}
	}
	if tokenizer.ChatTemplate(t) == Template {
		return t, nil
	}
	return tokenizer.WithChatTemplate(t, Template)
}

// Format turns conversations into tokens as Template says. Names of special tokens that
// a message writes out are ordinary text.
type Format struct {
	Tokenizer tokenizer.Tokenizer
	roles     map[Role]int32
	End       int32 // the end of text: begins a conversation and ends every answer
}

// NewFormat returns the format of a tokenizer that was extended; one without the
// special tokens of conversations is an error.
func NewFormat(t tokenizer.Tokenizer) (*Format, error) {
	f := &Format{Tokenizer: t, roles: map[Role]int32{}, End: t.EndOfText()}
	for role, name := range map[Role]string{System: SystemName, User: UserName, Assistant: AssistantName} {
		id, ok := tokenizer.SpecialID(t, name)
		if !ok {
			return nil, fmt.Errorf("tokenizer %s has no token %s: its model was never taught conversations; `gpt align sft` does that", t.Name(), name)
		}
		f.roles[role] = id
	}
	return f, nil
}

// Prompt is a conversation up to the token after which the assistant answers.
func (f *Format) Prompt(messages []Message) ([]int32, error) {
	ids := []int32{f.End}
	for _, m := range messages {
		text, err := f.Tokenizer.Encode(m.Content)
		if err != nil {
			return nil, err
		}
		ids = append(append(ids, f.roles[m.Role]), text...)
		if m.Role == Assistant {
			ids = append(ids, f.End)
		}
	}
	return append(ids, f.roles[Assistant]), nil
}

// Answer is the tokens of an answer, its end included.
func (f *Format) Answer(text string) ([]int32, error) {
	ids, err := f.Tokenizer.Encode(text)
	return append(ids, f.End), err
}

// Text is what an answer's tokens say, without its end.
func (f *Format) Text(answer []int32) (string, error) {
	if n := len(answer); n > 0 && answer[n-1] == f.End {
		answer = answer[:n-1]
	}
	return f.Tokenizer.Decode(answer)
}
