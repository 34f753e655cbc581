package tokenizer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Match says where a token that is found by its name is found, and what it takes with
// it, as Hugging Face's files have it.
type Match struct {
	SingleWord bool // not within a word
	LStrip     bool // with the white space before it
	RStrip     bool // with the white space after it
}

// names finds tokens by their names in a text: a tree of bytes. The time of a search
// doesn't depend on the number of names.
type names struct {
	next  map[edge]int32 // to another node; 0 is the root
	token map[int32]SpecialToken
	nodes int32
	first [256]bool // bytes that names begin with
}

type edge struct {
	node int32
	b    byte
}

func newNames(tokens []SpecialToken) *names {
	n := &names{next: map[edge]int32{}, token: map[int32]SpecialToken{}}
	for _, s := range tokens {
		if s.Name == "" {
			continue
		}
		n.first[s.Name[0]] = true
		node := int32(0)
		for i := range len(s.Name) {
			e := edge{node, s.Name[i]}
			if n.next[e] == 0 {
				n.nodes++
				n.next[e] = n.nodes
			}
			node = n.next[e]
		}
		n.token[node] = s
	}
	return n
}

// find returns the first token in text at or after from, the longest of those that
// begin at the same place, and the stretch of text that it replaces: start to end.
func (n *names) find(text string, from int) (s SpecialToken, start, end int, ok bool) {
	for at := from; at < len(text); at++ {
		if !n.first[text[at]] {
			continue
		}
		node := int32(0)
		for i := at; i < len(text); i++ {
			if node = n.next[edge{node, text[i]}]; node == 0 {
				break
			}
			if found, is := n.token[node]; is && (!found.SingleWord || alone(text, at, i+1)) {
				s, start, end, ok = found, at, i+1, true
			}
		}
		if !ok {
			continue
		}
		if s.LStrip {
			start = from + len(strings.TrimRightFunc(text[from:start], unicode.IsSpace))
		}
		if s.RStrip {
			end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
		}
		return s, start, end, true
	}
	return s, 0, 0, false
}

// alone reports whether no part of a word touches text[start:end].
func alone(text string, start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	return !inWord(before) && !inWord(after)
}

// inWord reports whether a regular expression's \w has r.
func inWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc))
}

// encode encodes text: names become their tokens, and the function encodes what is
// between them.
func (n *names) encode(text string, encode func(text string) ([]int32, error)) ([]int32, error) {
	var ids []int32
	for at := 0; ; {
		s, start, end, ok := n.find(text, at)
		if !ok {
			start = len(text)
		}
		if start > at || !ok && ids == nil {
			more, err := encode(text[at:start])
			if err != nil {
				return nil, err
			}
			ids = append(ids, more...)
		}
		if !ok {
			return ids, nil
		}
		ids = append(ids, s.ID)
		at = end
	}
}

// named is a tokenizer whose Encode turns names of special tokens into these tokens.
type named struct {
	Tokenizer
	names *names
}

func (t named) Encode(text string) ([]int32, error) { return t.names.encode(text, t.Tokenizer.Encode) }

// ForTexts returns what encodes a user's texts, those of training and prompts: t, but
// names of special tokens other than the end of text stand for these tokens. A user who
// has given a tokenizer special tokens writes them in such texts; in the words of a
// chat's partner or the cells of a table they would be an attack, so there t itself
// encodes. <|endoftext|> divides documents before they are encoded.
func ForTexts(t Tokenizer) Tokenizer {
	own := slices.DeleteFunc(slices.Clone(t.SpecialTokens()), func(s SpecialToken) bool { return s.ID == t.EndOfText() || s.Name == EndOfTextName })
	if len(own) == 0 {
		return t
	}
	return named{t, newNames(own)}
}

// EncodeSpecial encodes text in which the names of all special tokens stand for these,
// like tiktoken's encode with allowed_special="all". Where two names begin at one
// place, the longer one counts.
func EncodeSpecial(t Tokenizer, text string) ([]int32, error) {
	return named{t, newNames(t.SpecialTokens())}.Encode(text)
}

// SpecialNames finds the names of a tokenizer's special tokens in texts.
type SpecialNames struct{ names *names }

// NewSpecialNames returns the names of t's special tokens.
func NewSpecialNames(t Tokenizer) SpecialNames {
	var list []SpecialToken
	for _, s := range t.SpecialTokens() {
		list = append(list, SpecialToken{Name: s.Name, ID: s.ID}) // wherever it is, also within a word
	}
	return SpecialNames{newNames(list)}
}

// Break puts mark after the first character of each name in a text, so that none of the
// names is left in it.
func (n SpecialNames) Break(text, mark string) string {
	var b strings.Builder
	for at := 0; ; {
		_, start, _, ok := n.names.find(text, at)
		if !ok {
			b.WriteString(text[at:])
			return b.String()
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		b.WriteString(text[at:start+size] + mark)
		at = start + size
	}
}
