package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"unicode/utf8"

	"tinygpt/internal/userfile"
)

// chatTemplateFile is where newer versions of transformers keep a chat template, if not
// in tokenizer_config.json.
const chatTemplateFile = "chat_template.jinja"

// WithChatTemplate returns t with a template, in Jinja, that says how a conversation
// becomes one text: the chat_template of tokenizer_config.json, which apply_chat_template
// in transformers uses. This package keeps it and doesn't run it.
func WithChatTemplate(t Tokenizer, template string) (Tokenizer, error) {
	e, ok := t.(extendable)
	if !ok {
		return nil, fmt.Errorf("tokenizer %s: type %T takes no chat template", t.Name(), t)
	}
	if !utf8.ValidString(template) {
		return nil, fmt.Errorf("tokenizer %s: the chat template isn't valid UTF-8", t.Name())
	}
	same := *e.base()
	same.chatTemplate = template
	return e.extended(same), nil
}

// ChatTemplate returns the chat template of t, "" if it has none.
func ChatTemplate(t Tokenizer) string {
	if e, ok := t.(extendable); ok {
		return e.base().chatTemplate
	}
	return ""
}

// templateJSON is a chat_template: a text, or a list of texts with names, of which the
// one named default counts.
type templateJSON string

func (c *templateJSON) UnmarshalJSON(b []byte) error {
	var text *string
	if json.Unmarshal(b, &text) == nil {
		if text != nil {
			*c = templateJSON(*text)
		}
		return nil
	}
	var list []struct{ Name, Template string }
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("chat_template: expected a text or a list of texts with names")
	}
	for _, t := range list {
		if t.Name == "default" {
			*c = templateJSON(t.Template)
		}
	}
	return nil
}

// readChatTemplate gives t the template of a folder: that of its own file, else the one
// in tokenizer_config.json.
func readChatTemplate(t Tokenizer, dir string, config tokenizerConfig) (Tokenizer, error) {
	template := string(config.ChatTemplate)
	b, err := userfile.ReadRegular(filepath.Join(dir, chatTemplateFile))
	switch {
	case err == nil:
		template = string(b)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if template == "" {
		return t, nil
	}
	return WithChatTemplate(t, template)
}
