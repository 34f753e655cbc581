package chat

import (
	"fmt"
	"strings"

	"tinygpt/data/instruct"
	"tinygpt/sample"
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
	// Stop lists the texts that end an answer, apart from the end of text.
	Stop() []string
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

// Render writes a line for each turn.
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
	return sample.Prompt(p.Tokenizer, b.String())
}

// Instructed is the template of a model that was taught conversations.
type Instructed struct{ Format *instruct.Format }

// Name is instruct.
func (Instructed) Name() string { return "instruct" }

// Lead is empty: an answer begins after the assistant's token.
func (Instructed) Lead() string { return "" }

// Stop is empty: an answer ends with the end of text.
func (Instructed) Stop() []string { return nil }

// Render writes the conversation as the model has learned it: user and assistant take
// turns, and the user has the last word.
func (t Instructed) Render(messages []Message) ([]int32, error) {
	if err := instruct.CheckPrompt(messages); err != nil {
		return nil, err
	}
	return t.Format.Prompt(messages)
}

// Understood reports whether a tokenizer has no template of conversations, or the one
// that Format writes. Those of other programs, in Jinja, aren't read.
func Understood(t tokenizer.Tokenizer) bool {
	template := tokenizer.ChatTemplate(t)
	return template == "" || template == instruct.Template
}

// TemplateOf returns the template of a tokenizer: that of conversations if it was made
// for them, else Plain.
func TemplateOf(t tokenizer.Tokenizer) Template {
	if tokenizer.ChatTemplate(t) == instruct.Template {
		if f, err := instruct.NewFormat(t); err == nil {
			return Instructed{f}
		}
	}
	return Plain{t}
}
