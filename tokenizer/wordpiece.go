package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// wordPiece is BERT's encoding (Devlin et al. 2018; Schuster and Nakajima 2012), which
// many Chinese GPT-2s have: text is split into words, a Chinese character being one,
// and from the left of each word the longest token is taken again and again. Tokens
// within a word begin with ## in files. A word that can't be covered in this way is the
// unknown token.
//
// Text comes back with a space before each word that isn't a Chinese character or a punctuation
// mark, whatever was between them.
type wordPiece struct {
	table
	unknown      int32
	fold         bool             // to lower case, without accents
	names        []string         // as in files
	first, later map[string]int32 // tokens at the beginning of a word, and within one
	longest      int              // in bytes, of a token
}

const (
	withinWord = "##"
	// longestWord is the number of characters from which on a word is unknown
	// (max_input_chars_per_word).
	longestWord = 100
)

// Names of BERT's special tokens unless a file has others.
const (
	bertUnknown = "[UNK]"
	bertBegin   = "[CLS]"
	bertEnd     = "[SEP]"
)

// bertSpecial are those that stand for no text.
var bertSpecial = []string{"[PAD]", bertBegin, bertEnd, "[MASK]"}

// newWordPiece makes an encoder of a vocabulary from files.
func newWordPiece(v *vocabulary, fold bool) (*wordPiece, error) {
	if v.unknown == "" {
		v.unknown = bertUnknown
	}
	unknown, ok := v.ids[v.unknown]
	if !ok {
		return nil, fmt.Errorf("the unknown token %q is not in the vocabulary", v.unknown)
	}
	delete(v.special, v.unknown) // it stands for text
	if len(v.added) > 0 {
		return nil, errors.New("there are added tokens that aren't special: WordPiece is read without any")
	}
	if v.endOfText == "" && v.special[bertEnd] {
		v.endOfText = bertEnd
	}
	t := &wordPiece{unknown: unknown, fold: fold, names: make([]string, len(v.ids)), first: map[string]int32{}, later: map[string]int32{}}
	var err error
	if t.table, err = v.table(wordPieceText); err != nil {
		return nil, err
	}
	for name, id := range v.ids {
		t.names[id] = name
		if t.tokens[id] == nil || id == unknown {
			continue
		}
		if rest, ok := strings.CutPrefix(name, withinWord); ok && rest != "" {
			t.later[rest] = id
			t.longest = max(t.longest, len(rest))
		} else {
			t.first[name] = id
			t.longest = max(t.longest, len(name))
		}
	}
	if len(t.first) == 0 {
		return nil, errors.New("the vocabulary has no ordinary token")
	}
	t.name = t.kind()
	return t, nil
}

// kind is the name, with how many special tokens there are besides BERT's.
func (t *wordPiece) kind() string {
	name := "wordpiece"
	if t.fold {
		name = "wordpiece-lower"
	}
	own := slices.DeleteFunc(slices.Clone(t.special), func(s SpecialToken) bool { return slices.Contains(bertSpecial, s.Name) })
	if len(own) == 0 {
		return name
	}
	return fmt.Sprintf("%s+%d", name, len(own))
}

// wordPieceText is a token's text by its name.
func wordPieceText(name string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(name, withinWord); ok && rest != "" {
		return []byte(rest), nil
	}
	if r, _ := utf8.DecodeRuneInString(name); isChinese(r) || isPunctuation(r) {
		return []byte(name), nil
	}
	return []byte(" " + name), nil
}

func (t *wordPiece) extended(more table) Tokenizer {
	other := *t
	other.table = more
	other.names = append([]string(nil), t.names...)
	for id := len(t.names); id < len(more.tokens); id++ {
		name, _ := more.specialName(int32(id))
		other.names = append(other.names, name)
	}
	other.name = other.kind()
	return &other
}

func (t *wordPiece) visible(id int32) string { return t.names[id] }

// Encode splits large texts over all cores; the ids do not depend on their number.
func (t *wordPiece) Encode(text string) ([]int32, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	return encodeChunks(text, betweenWords, t.encodeChunk), nil
}

func (t *wordPiece) encodeChunk(text string) []int32 {
	words := appendWords(make([]byte, 0, len(text)+len(text)/4), text, t.fold)
	ids := make([]int32, 0, len(text)/3+1)
	for word := range bytes.SplitSeq(words, []byte{endOfWord}) {
		if len(word) > 0 {
			ids = t.appendWord(ids, word)
		}
	}
	return ids
}

// appendWord appends a word's tokens.
func (t *wordPiece) appendWord(ids []int32, word []byte) []int32 {
	if utf8.RuneCount(word) > longestWord {
		return append(ids, t.unknown)
	}
	known, start := t.first, len(ids)
	for len(word) > 0 {
		n := min(len(word), t.longest)
		for n > 0 {
			if id, ok := known[string(word[:n])]; ok {
				ids = append(ids, id)
				break
			}
			n-- // a piece that ends within a character is no token
		}
		if n == 0 {
			return append(ids[:start], t.unknown)
		}
		word, known = word[n:], t.later
	}
	return ids
}

// parseVocabTXT reads BERT's vocab.txt: a token a line, whose number from 0 is the id.
func parseVocabTXT(text []byte) (map[string]int32, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8 text; expected a token a line")
	}
	ids := map[string]int32{}
	n := int32(0)
	for line := range bytes.Lines(text) {
		name := strings.TrimRight(string(line), "\r\n")
		if name == "" {
			return nil, fmt.Errorf("line %d is empty: expected a token", n+1)
		}
		if first, ok := ids[name]; ok {
			return nil, fmt.Errorf("line %d: token %q is on line %d already", n+1, name, first+1)
		}
		ids[name] = n
		n++
	}
	if n == 0 {
		return nil, errors.New("it is empty: expected a token a line")
	}
	return ids, nil
}
