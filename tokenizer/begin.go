package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
)

// begin is the token before each text that a model reads, if it isn't the end of text.
type begin struct {
	set bool
	id  int32 // -1: none
}

// Begin returns the id of the token that a model reads before a text: the end of text, as
// between documents of training, unless the tokenizer's files say otherwise (WithBegin); -1 if
// there is none. Encode doesn't add it.
func Begin(t Tokenizer) int32 {
	if e, ok := t.(extendable); ok {
		if b := e.base().begin; b.set {
			return b.id
		}
	}
	return t.EndOfText()
}

// WithBegin returns t with a special token that comes before each text; -1 is none. Files say
// so in the post-processor of tokenizer.json and as add_bos_token in tokenizer_config.json.
func WithBegin(t Tokenizer, id int32) (Tokenizer, error) {
	e, ok := t.(extendable)
	if !ok {
		return nil, fmt.Errorf("tokenizer %s: type %T takes no other beginning", t.Name(), t)
	}
	if Begin(t) == id {
		return t, nil
	}
	same := *e.base()
	if _, special := same.specialName(id); id != -1 && !special {
		return nil, fmt.Errorf("tokenizer %s: token %d begins no text: expected a special token", t.Name(), id)
	}
	same.begin = begin{true, id}
	return e.extended(same), nil
}

// beginComponent is the post-processor that puts a token before each text.
func beginComponent(id int32, name string) component {
	token := func(typ int) map[string]any {
		return map[string]any{"SpecialToken": map[string]any{"id": name, "type_id": typ}}
	}
	text := func(id string, typ int) map[string]any {
		return map[string]any{"Sequence": map[string]any{"id": id, "type_id": typ}}
	}
	return component{
		"type":           "TemplateProcessing",
		"single":         []any{token(0), text("A", 0)},
		"pair":           []any{token(0), text("A", 0), token(1), text("B", 1)},
		"special_tokens": map[string]any{name: map[string]any{"id": name, "ids": []int32{id}, "tokens": []string{name}}},
	}
}

// begins returns the name of the token that a post-processor puts before a text, "" for
// none. ok is false if it changes the ids in another way; only end may follow a text.
func (c component) begins(end string) (name string, ok bool) {
	switch c["type"] {
	case nil, "ByteLevel": // which sets offsets alone
		return "", true
	case "TemplateProcessing":
		return c.templateBegins(end)
	case "BertProcessing":
		cls, _ := c["cls"].([]any)
		sep, _ := c["sep"].([]any)
		if len(cls) != 2 || len(sep) != 2 || end == "" || sep[0] != end {
			return "", false
		}
		name, ok = cls[0].(string)
		return name, ok
	case "Sequence":
		list, _ := c["processors"].([]any)
		for _, p := range list {
			one, _ := p.(map[string]any)
			found, fine := component(one).begins(end)
			if !fine || one == nil || found != "" && name != "" {
				return "", false
			}
			name += found
		}
		return name, list != nil
	}
	return "", false
}

// templateBegins is begins for a template: it may have the text alone, or a special
// token before it, and the token end after it.
func (c component) templateBegins(end string) (name string, ok bool) {
	type piece struct{ SpecialToken, Sequence *struct{ ID string } }
	var t struct {
		Single  []piece
		Special map[string]struct{ Tokens []string } `json:"special_tokens"`
	}
	b, err := json.Marshal(map[string]any(c))
	if err != nil || json.Unmarshal(b, &t) != nil || t.Single == nil {
		return "", false
	}
	texts := slices.IndexFunc(t.Single, func(p piece) bool { return p.Sequence != nil })
	before, after := t.Single[:max(texts, 0)], t.Single[texts+1:]
	if texts < 0 || len(before) > 1 || len(after) > 1 || len(before) == 1 && before[0].SpecialToken == nil {
		return "", false
	}
	if len(after) == 1 && (after[0].SpecialToken == nil || end == "" || after[0].SpecialToken.ID != end) {
		return "", false
	}
	if len(before) == 1 {
		name = before[0].SpecialToken.ID
		if s, ok := t.Special[name]; ok && (len(s.Tokens) != 1 || s.Tokens[0] != name) {
			return "", false
		}
	}
	return name, true
}
