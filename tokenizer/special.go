package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// SpecialToken is a token that stands for no text: the end of a document, the
// beginning of an answer. Encode never gives its id.
type SpecialToken struct {
	Name string // as files and people write it: "<|endoftext|>"
	ID   int32
	Match
}

// SpecialID returns the id of t's special token of that name.
func SpecialID(t Tokenizer, name string) (id int32, ok bool) {
	for _, s := range t.SpecialTokens() {
		if s.Name == name {
			return s.ID, true
		}
	}
	return -1, false
}

// NameOrText returns the name of a special token, or another token's bytes as they are.
func NameOrText(t Tokenizer, id int32) (text string, special bool) {
	if name, ok := nameOf(t.SpecialTokens(), id); ok {
		return name, true
	}
	return string(t.Bytes(id)), false
}

// nameOf searches tokens in the order of their ids, of which some tokenizers have thousands.
func nameOf(tokens []SpecialToken, id int32) (name string, ok bool) {
	i, ok := slices.BinarySearchFunc(tokens, id, func(s SpecialToken, id int32) int { return cmp.Compare(s.ID, id) })
	if !ok {
		return "", false
	}
	return tokens[i].Name, true
}

// WithSpecialTokens returns t with further special tokens, whose ids follow t's
// in the order of names; t itself stays as it is. If t has no end of text and one
// of the names is EndOfTextName, that becomes it. A name that t has already, as a
// special token or as an ordinary one, is an error, and so is one that is empty
// or begins or ends with white space.
func WithSpecialTokens(t Tokenizer, names ...string) (Tokenizer, error) {
	e, ok := t.(extendable)
	if !ok {
		return nil, fmt.Errorf("tokenizer %s: type %T takes no further special tokens", t.Name(), t)
	}
	ids := make(map[string]int32, t.VocabSize()) // by what files write
	for id := range int32(t.VocabSize()) {
		ids[written(e, id)] = id
	}
	old := e.base()
	more := table{
		tokens:    slices.Clone(old.tokens),
		special:   slices.Clone(old.special),
		added:     old.added,
		endOfText: old.endOfText,

		chatTemplate: old.chatTemplate,
		begin:        old.begin,
	}
	for _, name := range names {
		if name == "" || strings.TrimSpace(name) != name {
			return nil, fmt.Errorf("special token %q: expected a name without white space around it, like <|start|>", name)
		}
		if len(name) > longestName {
			return nil, fmt.Errorf("special token %.40q…: its name has %d bytes, expected %d bytes or fewer", name, len(name), longestName)
		}
		// Files know ordinary and special tokens by one list of names.
		if id, ok := ids[name]; ok {
			return nil, fmt.Errorf("special token %q: tokenizer %s has a token of that name already, with id %d", name, t.Name(), id)
		}
		id := int32(len(more.tokens))
		ids[name] = id
		more.tokens = append(more.tokens, nil)
		more.special = append(more.special, SpecialToken{Name: name, ID: id})
		if name == EndOfTextName && more.endOfText < 0 {
			more.endOfText = id
		}
	}
	return e.extended(more), nil
}

// extendable is a tokenizer of this package.
type extendable interface {
	Tokenizer
	base() *table
	// extended returns a copy with another table, which has more special tokens,
	// under the name for it.
	extended(table) Tokenizer
	// visible is what files write for an ordinary token: its bytes in visible
	// characters, or whatever else the kind has.
	visible(id int32) string
}

// written is what files write for a token: what the kind makes of an ordinary one, and a
// special one's name.
func written(t extendable, id int32) string {
	if name, ok := t.base().specialName(id); ok {
		return name
	}
	return t.visible(id)
}

func (t *table) base() *table { return t }

// specialName returns the name of a special token.
func (t *table) specialName(id int32) (name string, ok bool) { return nameOf(t.special, id) }

// nameWithExtra adds to a kind's name how many special tokens there are apart from
// the end of text.
func (t *table) nameWithExtra(name string) string {
	extra := len(t.special)
	if t.endOfText >= 0 {
		extra--
	}
	if extra == 0 {
		return name
	}
	return fmt.Sprintf("%s+%d", name, extra)
}
