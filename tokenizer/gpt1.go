package tokenizer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// gpt1 is GPT-1's encoding (Radford et al. 2018, section 4.1; Sennrich et al.
// 2016): words in lower case, merged from characters, the last of which carries
// the end of the word, "</w>" in files. A character that the vocabulary lacks
// becomes the unknown token.
//
// The merger works on bytes, so this kind translates: each character is merged
// from its bytes first, and the end of a word is a byte of its own that joins the
// character before it before anything else happens. Splitting removes control
// characters, which leaves two bytes free for endOfWord and unknownChar.
type gpt1 struct {
	table
	*merger
	unknown  int32
	alphabet map[rune]bool // the characters, and endOfWord
	first    int           // where the vocabulary's own merges begin in pairs
}

const (
	endOfWord   = 0x00
	unknownChar = 0x01

	writtenEndOfWord = "</w>" // in files
)

// newGPT1 makes an encoder of a vocabulary from files.
func newGPT1(v *vocabulary) (*gpt1, error) {
	unknown, ok := v.ids[v.unknown]
	if !ok {
		return nil, fmt.Errorf("the unknown token %q is not in the vocabulary, which tokens with %q need", v.unknown, writtenEndOfWord)
	}
	t := &gpt1{unknown: unknown, alphabet: map[rune]bool{endOfWord: true}}
	var err error
	if t.table, err = v.table(func(name string) ([]byte, error) {
		text, isEnd := strings.CutSuffix(name, writtenEndOfWord)
		if strings.ContainsAny(text, " \x00\x01") {
			return nil, fmt.Errorf("it holds a space, U+0000 or U+0001")
		}
		if isEnd {
			text += " "
		}
		return []byte(text), nil
	}); err != nil {
		return nil, err
	}
	ranked, ids, err := t.symbols(v)
	if err != nil {
		return nil, err
	}
	t.first = len(ranked) - 256 - len(v.merges)
	if t.merger, err = newMerger(ranked, ids, `[\s\S]+`); err != nil {
		return nil, err
	}
	if err := v.checkMerges(t); err != nil {
		return nil, err
	}
	t.name = t.nameWithExtra("gpt1")
	return t, nil
}

// symbols lists the bytes, the characters, the characters at the end of a word,
// and what the merges make, each with its token.
func (t *gpt1) symbols(v *vocabulary) (ranked [][]byte, ids []int32, err error) {
	made := make(map[string]bool, len(v.merges)) // by merges, as in files
	for i, m := range v.merges {
		whole := m[0] + m[1]
		switch id, ok := v.ids[whole]; {
		case made[whole]:
			return nil, nil, fmt.Errorf("merge %d, %q, makes a token that is there already, with id %d", i+1, m[0]+" "+m[1], id)
		case !ok:
			return nil, nil, fmt.Errorf("merge %d, %q: %q is not in the vocabulary", i+1, m[0]+" "+m[1], whole)
		}
		made[whole] = true
	}
	var chars []string
	for name, id := range v.ids {
		if made[name] || id == t.unknown || t.tokens[id] == nil {
			continue
		}
		char := strings.TrimSuffix(name, writtenEndOfWord)
		r, size := utf8.DecodeRuneInString(char)
		if size == 0 || size != len(char) {
			return nil, nil, fmt.Errorf("token %q is neither a character nor made by a merge", name)
		}
		chars = append(chars, char)
		t.alphabet[r] = true
	}
	slices.Sort(chars)
	chars = slices.Compact(chars)

	// Encoding never ends at a symbol that is not a token, such as half a character. It
	// may end at a character that the vocabulary has only within words, or only at
	// their end: in the other place it is the unknown token.
	add := func(symbol, inFile string) {
		id, ok := v.ids[inFile]
		if !ok {
			id = t.unknown
		}
		ranked, ids = append(ranked, []byte(symbol)), append(ids, id)
	}
	for b := range 256 {
		char := ""
		if b < utf8.RuneSelf {
			char = string(rune(b))
		}
		add(string([]byte{byte(b)}), char)
	}
	for size := 2; size <= utf8.UTFMax; size++ {
		for i, char := range chars {
			if len(char) >= size && (i == 0 || !strings.HasPrefix(chars[i-1], char[:size])) {
				add(char[:size], char[:size])
			}
		}
	}
	for _, char := range append(chars, string(rune(unknownChar))) {
		add(char+string(rune(endOfWord)), char+writtenEndOfWord)
	}
	for _, m := range v.merges {
		whole := m[0] + m[1]
		add(string(symbolOf(whole)), whole)
	}
	return ranked, ids, nil
}

// symbolOf returns a token's bytes in the merger.
func symbolOf(inFile string) []byte {
	text, isEnd := strings.CutSuffix(inFile, writtenEndOfWord)
	b := []byte(text)
	if isEnd {
		b = append(b, endOfWord)
	}
	return b
}

// inFile is the inverse of symbolOf.
func (t *gpt1) inFile(rank int32) string {
	symbol := t.ranked[rank]
	if text, isEnd := bytes.CutSuffix(symbol, []byte{endOfWord}); isEnd {
		return string(text) + writtenEndOfWord
	}
	return string(symbol)
}

func (t *gpt1) extended(more table) Tokenizer {
	more.name = more.nameWithExtra("gpt1")
	return &gpt1{more, t.merger, t.unknown, t.alphabet, t.first}
}

func (t *gpt1) visible(id int32) string {
	if text, isEnd := bytes.CutSuffix(t.tokens[id], []byte(" ")); isEnd {
		return string(text) + writtenEndOfWord
	}
	return string(t.tokens[id])
}

// Encode splits large texts over all cores; the ids do not depend on their
// number.
func (t *gpt1) Encode(text string) ([]int32, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	return encodeChunks(text, betweenWords, t.encodeChunk), nil
}

// betweenWords reports whether white space that separates words is at s[i].
func betweenWords(s string, i int) bool {
	switch s[i] {
	case ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

func (t *gpt1) encodeChunk(text string) []int32 {
	e := t.encoders.Get().(*pieceEncoder)
	defer t.encoders.Put(e)
	words := appendWords(make([]byte, 0, len(text)+len(text)/4), text, true)
	ids := make([]int32, 0, len(text)/4+1)
	for piece := range strings.SplitAfterSeq(string(words), string(rune(endOfWord))) {
		if piece != "" {
			ids = e.appendPiece(ids, t.known(piece))
		}
	}
	return ids
}

// known returns piece with unknownChar in place of characters that no token has.
func (t *gpt1) known(piece string) string {
	for i, r := range piece {
		if !t.alphabet[r] {
			return piece[:i] + strings.Map(func(r rune) rune {
				if t.alphabet[r] {
					return r
				}
				return unknownChar
			}, piece[i:])
		}
	}
	return piece
}
