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
	// Name is a short name for people.
	Name() string
	// Render returns the tokens after which the model writes its answer. A conversation that the
	// template doesn't allow is an error.
	Render(messages []Message) ([]int32, error)
	// Lead is what a model may write between the prompt and its answer. It isn't a part of the
	// answer and is cut off.
	Lead() string
	// Stop lists the texts that end an answer, apart from End.
	Stop() []string
	// End lists the tokens that end an answer.
	End() []int32
}

// Plain is the template of a model that wasn't trained on conversations: it writes them as a
// dialogue of "User:" and "Assistant:".
type Plain struct{ Tokenizer tokenizer.Tokenizer }

// Name returns "plain".
func (Plain) Name() string { return "plain" }

// Lead returns the space after the colon.
func (Plain) Lead() string { return " " }

// Stop returns the beginning of the next question.
func (Plain) Stop() []string { return []string{"\nUser:"} }

// End returns the end of text, if the tokenizer has one.
func (p Plain) End() []int32 { return endOfText(p.Tokenizer) }

// endOfText returns the tokenizer's end of text in a list, which is empty if it has none.
func endOfText(t tokenizer.Tokenizer) []int32 {
	if end := t.EndOfText(); end >= 0 {
		return []int32{end}
	}
	return nil
}

// Render writes a line for each message. Names of special tokens in messages are ordinary text.
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

// Instructed is the template of a model that this program trained on conversations.
type Instructed struct{ Format *instruct.Format }

// Name returns "instruct".
func (Instructed) Name() string { return "instruct" }

// Lead returns "": an answer begins right after the assistant's token.
func (Instructed) Lead() string { return "" }

// Stop returns nil: an answer ends with the end of text.
func (Instructed) Stop() []string { return nil }

// End returns the end of text.
func (t Instructed) End() []int32 { return endOfText(t.Format.Tokenizer) }

// Render writes the conversation in the format of training. User and assistant must take turns,
// and the last message must be the user's; anything else is an error.
func (t Instructed) Render(messages []Message) ([]int32, error) {
	if err := instruct.CheckPrompt(messages); err != nil {
		return nil, err
	}
	return t.Format.Prompt(messages)
}

// TemplateOf returns the template for a tokenizer: Instructed if the tokenizer was made for it,
// else the one in Jinja that the tokenizer came with, else Plain. If the one in Jinja can't be
// used, it returns Plain and an error that says why.
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
