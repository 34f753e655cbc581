package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"

	"tinygpt/internal/userfile"
)

// A tokenizer.json as the tokenizers library of Hugging Face reads and writes it:
// a pipeline of normalizer, pre-tokenizer, model, post-processor and decoder, and
// the added tokens, which the model does not make. All of our kinds but one are its BPE
// model: characters and bytes are BPE without merges.
type tokenizerJSON struct {
	Version       string       `json:"version"`
	Truncation    component    `json:"truncation"`
	Padding       component    `json:"padding"`
	AddedTokens   []addedToken `json:"added_tokens"`
	Normalizer    component    `json:"normalizer"`
	PreTokenizer  component    `json:"pre_tokenizer"`
	PostProcessor component    `json:"post_processor"`
	Decoder       component    `json:"decoder"`
	Model         *modelJSON   `json:"model"`
}

type modelJSON struct {
	Type         string    `json:"type"`
	Dropout      *float64  `json:"dropout"`
	Unknown      *string   `json:"unk_token"`
	Prefix       *string   `json:"continuing_subword_prefix"`
	Suffix       *string   `json:"end_of_word_suffix"`
	FuseUnknown  bool      `json:"fuse_unk"`
	ByteFallback bool      `json:"byte_fallback"`
	IgnoreMerges bool      `json:"ignore_merges"` // which changes nothing, see merger
	Vocab        vocabJSON `json:"vocab"`
	Merges       []merge   `json:"merges"`
	LongestWord  *int      `json:"max_input_chars_per_word,omitempty"` // of WordPiece
}

// MarshalJSON leaves out what a model of the type doesn't have.
func (m *modelJSON) MarshalJSON() ([]byte, error) {
	if m.Type == wordPieceType {
		return formatJSON(struct {
			Type        string    `json:"type"`
			Unknown     *string   `json:"unk_token"`
			Prefix      *string   `json:"continuing_subword_prefix"`
			LongestWord *int      `json:"max_input_chars_per_word"`
			Vocab       vocabJSON `json:"vocab"`
		}{m.Type, m.Unknown, m.Prefix, m.LongestWord, m.Vocab})
	}
	type all modelJSON
	return formatJSON((*all)(m))
}

const wordPieceType = "WordPiece"

// component is an object with its type and settings, or null.
type component map[string]any

type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// vocabJSON is an object from names to ids, written in the order of the ids.
type vocabJSON map[string]int32

func (v vocabJSON) MarshalJSON() ([]byte, error) {
	names := make([]string, len(v))
	for name, id := range v {
		names[id] = name
	}
	b := []byte{'{'}
	for id, name := range names {
		if id > 0 {
			b = append(b, ',')
		}
		key, err := formatJSON(name)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, "%s:%d", bytes.TrimSpace(key), id)
	}
	return append(b, '}'), nil
}

// merge is a pair of names; "a b" in files of older versions, and of ours, which
// all versions read, ["a", "b"] in newer ones.
type merge [2]string

func (m merge) MarshalJSON() ([]byte, error) { return formatJSON(m[0] + " " + m[1]) }

func (m *merge) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		var pair []string
		if err := json.Unmarshal(b, &pair); err != nil || len(pair) != 2 {
			return fmt.Errorf("merge %.40q: expected two tokens", b)
		}
		*m = merge(pair)
		return nil
	}
	var line string
	if err := json.Unmarshal(b, &line); err != nil {
		return fmt.Errorf("merge %.40q: expected two tokens", b)
	}
	pair, err := parseMerge(line)
	*m = pair
	return err
}

// ReadJSON reads a tokenizer.json of the tokenizers library. Its end of text is
// the special token <|endoftext|>, if there is one.
//
// What this package cannot reproduce to the id is refused with the key: models other than
// BPE and WordPiece, text split otherwise than by GPT-2's, GPT-1's or BERT's rules or into
// characters, normalisation other than GPT-1's or BERT's, tokens that are added to each text
// other than one before it (see Begin) and BERT's after it, texts that are cut off or filled up
// to a length, and, but for byte-level BPE, added tokens that are not special. Those of
// byte-level BPE stand for their names wherever a text has them.
func ReadJSON(path string) (Tokenizer, error) {
	b, err := userfile.Read(path)
	if err != nil {
		return nil, err
	}
	t, err := parseTokenizerJSON(b, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// parseTokenizerJSON makes the tokenizer of a file's bytes, with the given end of
// text or, if that is empty, <|endoftext|>.
func parseTokenizerJSON(b []byte, endOfText string) (Tokenizer, error) {
	var f tokenizerJSON
	if err := parseJSON(b, &f); err != nil {
		// A model of another type has its vocabulary in another form: say the type.
		var other struct{ Model struct{ Type string } }
		if json.Unmarshal(b, &other) == nil {
			if unknown := checkType(other.Model.Type); unknown != nil {
				return nil, unknown
			}
		}
		return nil, err
	}
	if f.Model == nil {
		return nil, fmt.Errorf("key %q is missing: expected a tokenizer.json of Hugging Face's tokenizers library", "model")
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	v := &vocabulary{
		ids:       f.Model.Vocab,
		merges:    f.Model.Merges,
		special:   make(map[string]bool),
		added:     make(map[string]bool),
		match:     make(map[string]Match),
		endOfText: endOfText,
	}
	if v.ids == nil {
		v.ids = make(map[string]int32)
	}
	if f.Model.Unknown != nil {
		v.unknown = *f.Model.Unknown
	}
	for _, a := range f.AddedTokens {
		if id, ok := v.ids[a.Content]; ok && id != a.ID {
			return nil, fmt.Errorf("added token %q has id %d, in the model's vocabulary it has %d", a.Content, a.ID, id)
		}
		v.ids[a.Content] = a.ID
		v.match[a.Content] = Match{a.SingleWord, a.LStrip, a.RStrip}
		if a.Special {
			v.special[a.Content] = true
		} else {
			v.added[a.Content] = true
		}
	}
	if endOfText == "" && v.special[EndOfTextName] {
		v.endOfText = EndOfTextName
	}
	for _, a := range f.AddedTokens {
		if byteLevel := f.Model.Type == wordPieceType || f.PreTokenizer != nil && f.Normalizer == nil; !a.Special && !byteLevel {
			return nil, fmt.Errorf("added token %d, %q, is not special: this program cuts such tokens out of a text only for byte-level BPE", a.ID, a.Content)
		}
	}
	t, err := f.tokenizer(v)
	if err != nil {
		return nil, err
	}
	id := int32(-1)
	if name, _ := f.PostProcessor.begins(f.endToken()); name != "" {
		var ok bool
		if id, ok = SpecialID(t, name); !ok {
			return nil, fmt.Errorf("key \"post_processor\" puts %q before a text, which is no special token", name)
		}
	}
	return WithBegin(t, id)
}

// endToken is what may come after a text: BERT's end, which has no place after a prompt.
func (f *tokenizerJSON) endToken() string {
	if f.Model.Type == wordPieceType {
		return bertEnd
	}
	return ""
}

// tokenizer makes the tokenizer of the file's kind.
func (f *tokenizerJSON) tokenizer(v *vocabulary) (Tokenizer, error) {
	switch {
	case f.Model.Type == wordPieceType:
		return newWordPiece(v, f.Normalizer["lowercase"] != false)
	case f.Model.Suffix != nil && *f.Model.Suffix == writtenEndOfWord:
		delete(v.special, v.unknown) // it stands for text
		return newGPT1(v)
	case f.PreTokenizer != nil:
		return v.byteLevel()
	}
	return v.chars()
}
