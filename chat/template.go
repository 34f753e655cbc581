package chat

import (
	"fmt"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/tokenizer"
)

// Message is one turn of a conversation.
type Message = instruct.Message

// Template turns a conversation into the prompt of a model.
type Template interface {
	// Name is short and for people.
	Name() string
	// Render returns the tokens after which the model writes its answer.
	Render(messages []Message) ([]int32, error)
	// Lead is what the model writes between the prompt and an answer, if it does: it is no
	// part of the answer.
	Lead() string
	// Stop lists the texts that end an answer, apart from End.
	Stop() []string
	// End lists the tokens that end an answer.
	End() []int32
}

// Plain is the template of a model that has learned no conversations: it writes
// them as a dialogue.
type Plain struct{ Tokenizer tokenizer.Tokenizer }

// Name is plain.
func (Plain) Name() string { return "plain" }

// Lead is the space after the colon.
func (Plain) Lead() string { return " " }

// Stop ends an answer where the next question would begin.
func (Plain) Stop() []string { return []string{"\nUser:"} }

// End is the end of text.
func (p Plain) End() []int32 { return endOfText(p.Tokenizer) }

func endOfText(t tokenizer.Tokenizer) []int32 {
	if end := t.EndOfText(); end >= 0 {
		return []int32{end}
	}
	return nil
}

// Render writes a line for each turn. Names of special tokens that people write out are
// ordinary text.
func (p Plain) Render(messages []Message) ([]int32, error) {
	var b strings.Builder
	for _, m := range messages {
		switch m.Role {
		case instruct.System:
			b.WriteString(m.Content + "\n\n")
		case instruct.User:
			fmt.Fprintf(&b, "User: %s\n", m.Content)
		case instruct.Assistant:
			fmt.Fprintf(&b, "Assistant: %s\n", strings.TrimPrefix(m.Content, p.Lead()))
		}
	}
	b.WriteString("Assistant:")
	ids, err := p.Tokenizer.Encode(b.String())
	if begin := tokenizer.Begin(p.Tokenizer); begin >= 0 {
		ids = append([]int32{begin}, ids...)
	}
	return ids, err
}

// Instructed is the template of a model that was taught conversations.
type Instructed struct{ Format *instruct.Format }

// Name is instruct.
func (Instructed) Name() string { return "instruct" }

// Lead is empty: an answer begins after the assistant's token.
func (Instructed) Lead() string { return "" }

// Stop is empty: an answer ends with the end of text.
func (Instructed) Stop() []string { return nil }

// End is the end of text.
func (t Instructed) End() []int32 { return endOfText(t.Format.Tokenizer) }

// Render writes the conversation as the model has learned it: user and assistant take
// turns, and the user has the last word.
func (t Instructed) Render(messages []Message) ([]int32, error) {
	if err := instruct.CheckPrompt(messages); err != nil {
		return nil, err
	}
	return t.Format.Prompt(messages)
}

// TemplateOf returns the template of a tokenizer: that of conversations if it was made for
// them, else the one in Jinja that it came with, else Plain. An error says why one in Jinja
// can't be used; the template is Plain then.
func TemplateOf(t tokenizer.Tokenizer) (Template, error) {
	switch tokenizer.ChatTemplate(t) {
	case "":
		return Plain{t}, nil
	case instruct.Template:
		if f, err := instruct.NewFormat(t); err == nil {
			return Instructed{f}, nil
		}
	}
	j, err := newJinja(t)
	if err != nil {
		return Plain{t}, err
	}
	return j, nil
}
