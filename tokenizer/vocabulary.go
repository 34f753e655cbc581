package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// vocabulary is what files say of a tokenizer, whatever their form: names of
// tokens as files write them, and how they are made of one another.
type vocabulary struct {
	ids       map[string]int32 // special tokens included
	merges    []merge
	special   map[string]bool
	added     map[string]bool  // ordinary tokens that are cut out of a text before all others
	match     map[string]Match // of special and added ones
	endOfText string           // a special token, or ""
	unknown   string           // the token of unknown characters, or ""
}

// longestName is the longest name of a token that is found by it, in bytes: a search takes as
// many steps at each place of a text.
const longestName = 1000

// table makes the table of v's tokens. Ordinary ones have the bytes that parse
// gives for their names.
func (v *vocabulary) table(parse func(name string) ([]byte, error)) (table, error) {
	t := table{tokens: make([][]byte, len(v.ids)), endOfText: -1}
	names := make([]string, len(v.ids))
	seen := make([]bool, len(v.ids))
	for name, id := range v.ids {
		if id < 0 || int(id) >= len(v.ids) {
			return table{}, fmt.Errorf("token %q has id %d, but there are %d tokens: expected the ids 0 to %d, each once", name, id, len(v.ids), len(v.ids)-1)
		}
		if seen[id] {
			a, b := min(name, names[id]), max(name, names[id])
			return table{}, fmt.Errorf("tokens %q and %q have the same id, %d", a, b, id)
		}
		seen[id], names[id] = true, name
	}
	for id, name := range names {
		if (v.special[name] || v.added[name]) && len(name) > longestName {
			return table{}, fmt.Errorf("token %d, %.40q…, is cut out of texts by its name of %d bytes: expected %d or fewer", id, name, len(name), longestName)
		}
		if v.special[name] {
			t.special = append(t.special, SpecialToken{name, int32(id), v.match[name]})
			if name == v.endOfText {
				t.endOfText = int32(id)
			}
			continue
		}
		if v.added[name] && name != "" {
			t.added = append(t.added, SpecialToken{name, int32(id), v.match[name]})
			t.tokens[id] = []byte(name)
			continue
		}
		text, err := parse(name)
		if err != nil {
			return table{}, fmt.Errorf("token %d, %q: %w", id, name, err)
		}
		if len(text) == 0 {
			return table{}, fmt.Errorf("token %d has an empty name", id)
		}
		t.tokens[id] = text
	}
	if v.endOfText != "" && t.endOfText < 0 {
		return table{}, fmt.Errorf("the end of text, %q, is not among the special tokens", v.endOfText)
	}
	return t, nil
}

// byteLevel makes the tokenizer of a vocabulary whose names are in printable form.
func (v *vocabulary) byteLevel() (Tokenizer, error) {
	t, err := v.table(parsePrintable)
	if err != nil {
		return nil, err
	}
	made := make(map[string]bool, len(v.merges))
	merged := make([]int32, len(v.merges))
	for i, m := range v.merges {
		whole := m[0] + m[1]
		id, ok := v.ids[whole]
		switch {
		case !ok:
			return nil, fmt.Errorf("merge %d, %q: %q is not in the vocabulary", i+1, m[0]+" "+m[1], whole)
		case made[whole]:
			return nil, fmt.Errorf("merge %d, %q, makes a token that is there already, with id %d", i+1, m[0]+" "+m[1], id)
		case v.added[whole]:
			return nil, fmt.Errorf("merge %d, %q, makes a token that is an added one too", i+1, m[0]+" "+m[1])
		case t.tokens[id] == nil:
			return nil, fmt.Errorf("merge %d, %q, makes a special token", i+1, m[0]+" "+m[1])
		}
		made[whole] = true
		merged[i] = id
	}
	tok, err := newByteLevelBPE(t, merged)
	if err != nil {
		return nil, err
	}
	return tok, v.checkMerges(tok)
}

// newByteLevelBPE makes the tokenizer of a table of single bytes and merged tokens,
// given in the order of the merges: GPT-2's if it is that, one of bytes if there
// is nothing to merge, or else BPE.
func newByteLevelBPE(t table, merged []int32) (Tokenizer, error) {
	reached := make([]bool, len(t.tokens))
	for _, id := range merged {
		reached[id] = true
	}
	isAdded := make([]bool, len(t.tokens))
	for _, s := range t.added {
		isAdded[s.ID] = true
	}
	// Ranks of bytes decide nothing; in the order of the ids they make ranks and
	// ids the same numbers in GPT-2's vocabulary and ours.
	ids := make([]int32, 0, 256+len(merged))
	var has [256]bool
	for id, text := range t.tokens {
		if isAdded[id] {
			continue
		}
		if len(text) == 1 {
			has[text[0]] = true
			ids = append(ids, int32(id))
		} else if text != nil && !reached[id] {
			return nil, fmt.Errorf("token %d, %q, is neither a byte, nor made by a merge, nor a special token", id, printable(text))
		}
	}
	if b := slices.Index(has[:], false); b >= 0 {
		return nil, fmt.Errorf("byte 0x%02X, written %q, is not in the vocabulary, which byte-level BPE needs whole: train with the full alphabet of bytes (initial_alphabet)", b, printable([]byte{byte(b)}))
	}
	if len(merged) == 0 && len(t.added) == 0 && ids[0] == 0 && ids[255] == 255 && slices.IsSortedFunc(t.tokens[:256], bytes.Compare) {
		return newByteLevel(t), nil
	}
	if isGPT2(t) && len(t.tokens) == 50256+len(t.special) && slices.IsSorted(merged) {
		gpt2, err := gpt2()
		if err != nil {
			return nil, err
		}
		return newGPT2(t, gpt2.merger), nil
	}
	ids = append(ids, merged...)
	ranked := make([][]byte, len(ids))
	for r, id := range ids {
		ranked[r] = t.tokens[id]
	}
	m, err := newMerger(ranked, ids, pattern)
	if err != nil {
		return nil, err
	}
	_, err = m.pairs()
	return newBPEOf(t, m), err
}

// checkMerges returns an error unless t's merges are v's.
func (v *vocabulary) checkMerges(t Tokenizer) error {
	merges, err := mergesOf(t)
	if err != nil {
		return err
	}
	for i, want := range v.merges {
		if got := merges[i]; got != want {
			return fmt.Errorf("merge %d, %q, is not what the merges before it leave of its text, %q", i+1, want[0]+" "+want[1], got[0]+" "+got[1])
		}
	}
	return nil
}

// chars makes the tokenizer of a vocabulary of single characters.
func (v *vocabulary) chars() (Tokenizer, error) {
	t, err := v.table(func(name string) ([]byte, error) {
		if _, size := utf8.DecodeRuneInString(name); size != len(name) {
			return nil, errors.New("expected a single character, as the model has no merges")
		}
		return []byte(name), nil
	})
	if err != nil {
		return nil, err
	}
	if len(t.tokens) == len(t.special) {
		return nil, errors.New("the vocabulary has no ordinary token")
	}
	return newCharOf(t), nil
}

// tokenizer makes the tokenizer of a vocabulary with merges, whose kind only the tokens
// tell: GPT-1's mark the ends of words. A token of byte-level BPE that no merge makes
// is special.
func (v *vocabulary) tokenizer() (Tokenizer, error) {
	for name := range v.ids {
		if strings.HasSuffix(name, writtenEndOfWord) {
			if v.unknown == "" {
				v.unknown = "<unk>"
			}
			return newGPT1(v)
		}
	}
	made := make(map[string]bool, len(v.merges))
	for _, m := range v.merges {
		made[m[0]+m[1]] = true
	}
	for name := range v.ids {
		if b, err := parsePrintable(name); !made[name] && !v.added[name] && (err != nil || len(b) != 1) {
			v.special[name] = true
		}
	}
	if v.endOfText == "" && v.special[EndOfTextName] {
		v.endOfText = EndOfTextName
	}
	return v.byteLevel()
}

// parseMerge divides "a b".
func parseMerge(line string) (merge, error) {
	left, right, ok := strings.Cut(line, " ")
	if !ok || left == "" || right == "" || strings.Contains(right, " ") {
		return merge{}, fmt.Errorf("merge %q: expected two tokens with a space between them", line)
	}
	return merge{left, right}, nil
}

// parseMerges reads merges.txt or vocab.bpe: a line per merge, two tokens with a
// space between them; a first line "#version: …" says nothing.
func parseMerges(text []byte) ([]merge, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8 text; expected lines of two tokens with a space between them")
	}
	var merges []merge
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		if n == 1 && bytes.HasPrefix(line, []byte("#version")) || len(line) == 0 {
			continue
		}
		m, err := parseMerge(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		merges = append(merges, m)
	}
	return merges, nil
}
