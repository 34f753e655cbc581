package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

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

// check returns an error that names what cannot be reproduced.
func (f *tokenizerJSON) check() error {
	m := f.Model
	if m.Type == wordPieceType {
		return f.checkWordPiece()
	}
	suffix := m.Suffix != nil && *m.Suffix != ""
	switch {
	case f.Truncation != nil:
		return fmt.Errorf("key \"truncation\" is %s, expected null: this program doesn't cut a text off; set it to null", f.Truncation)
	case f.Padding != nil:
		return fmt.Errorf("key \"padding\" is %s, expected null: this program doesn't fill texts up; set it to null", f.Padding)
	case checkType(m.Type) != nil:
		return checkType(m.Type)
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("key \"model.dropout\" is %v, expected null: merges at random have no definite ids", *m.Dropout)
	case m.Prefix != nil && *m.Prefix != "":
		return fmt.Errorf("key \"model.continuing_subword_prefix\" is %q, expected null", *m.Prefix)
	case suffix && *m.Suffix != writtenEndOfWord:
		return fmt.Errorf("key \"model.end_of_word_suffix\" is %q, expected null or %q", *m.Suffix, writtenEndOfWord)
	case m.ByteFallback, m.FuseUnknown && suffix:
		return fmt.Errorf("keys \"model.byte_fallback\" and \"model.fuse_unk\" are %v and %v, expected false", m.ByteFallback, m.FuseUnknown)
	}
	if _, ok := f.PostProcessor.begins(""); !ok {
		return fmt.Errorf("key \"post_processor\" is %s: this program puts one token before a text and none after it", f.PostProcessor)
	}
	byteLevel := f.Normalizer == nil && f.PreTokenizer.is("ByteLevel", component{"add_prefix_space": false, "use_regex": true})
	gpt1 := f.Normalizer.is("BertNormalizer", component{"clean_text": true, "handle_chinese_chars": true, "strip_accents": true, "lowercase": true}) &&
		f.PreTokenizer.is("BertPreTokenizer", nil)
	chars := f.Normalizer == nil && f.PreTokenizer == nil && len(m.Merges) == 0 && m.Unknown == nil
	if suffix && !gpt1 || !suffix && !byteLevel && !chars {
		return fmt.Errorf("keys \"normalizer\" and \"pre_tokenizer\" are %s and %s: this program has GPT-2's way (none; ByteLevel with add_prefix_space false and use_regex true), "+
			"GPT-1's with the suffix %q (BertNormalizer in lower case; BertPreTokenizer), and single characters (none; none; no merges and no unknown token)", f.Normalizer, f.PreTokenizer, writtenEndOfWord)
	}
	return nil
}

// checkType returns an error for a type of model that this package doesn't have.
func checkType(name string) error {
	if name == "" || name == "BPE" || name == wordPieceType {
		return nil
	}
	return fmt.Errorf("key \"model.type\" is %q, expected \"BPE\" or \"WordPiece\"", name)
}

// checkWordPiece is check for WordPiece.
func (f *tokenizerJSON) checkWordPiece() error {
	m := f.Model
	lower := f.Normalizer["lowercase"] != false
	if accents := f.Normalizer["strip_accents"]; accents != nil && accents != lower {
		return fmt.Errorf("keys \"normalizer.lowercase\" and \"normalizer.strip_accents\" are %v and %v: expected both or neither", lower, accents)
	}
	bert := f.Normalizer.is("BertNormalizer", component{"clean_text": true, "handle_chinese_chars": true}) && f.PreTokenizer.is("BertPreTokenizer", nil)
	_, begins := f.PostProcessor.begins(bertEnd)
	switch {
	case f.Truncation != nil || f.Padding != nil:
		return fmt.Errorf("keys \"truncation\" and \"padding\" are %s and %s, expected null: this program doesn't cut texts off or fill them up", f.Truncation, f.Padding)
	case m.Prefix != nil && *m.Prefix != withinWord:
		return fmt.Errorf("key \"model.continuing_subword_prefix\" is %q, expected %q", *m.Prefix, withinWord)
	case m.LongestWord != nil && *m.LongestWord != longestWord:
		return fmt.Errorf("key \"model.max_input_chars_per_word\" is %d, expected %d", *m.LongestWord, longestWord)
	case !bert:
		return fmt.Errorf("keys \"normalizer\" and \"pre_tokenizer\" are %s and %s: for WordPiece this program has BERT's way (BertNormalizer with clean_text and handle_chinese_chars; BertPreTokenizer)", f.Normalizer, f.PreTokenizer)
	case !begins:
		return fmt.Errorf("key \"post_processor\" is %s: expected %s or nothing before a text, and %s or nothing after it", f.PostProcessor, bertBegin, bertEnd)
	}
	return nil
}

// is reports whether c has the type and the settings; a setting that is left out or
// null counts as set.
func (c component) is(typ string, settings component) bool {
	if c["type"] != typ {
		return false
	}
	for key, want := range settings {
		if got := c[key]; got != nil && got != want {
			return false
		}
	}
	return true
}

// String is c in JSON, of which much is cut off.
func (c component) String() string {
	const most = 500
	b, _ := json.Marshal(map[string]any(c))
	if len(b) > most {
		b = append(bytes.ToValidUTF8(b[:most], nil), "…"...)
	}
	return string(b)
}

// WriteJSON writes t as a tokenizer.json that the tokenizers library reads and
// that gives the same ids there, except for special tokens written out in a text,
// which that library takes for what they name. The file appears under its name
// only when it is complete. Tokenizers from outside this package are an error.
func WriteJSON(path string, t Tokenizer) error {
	return writeFile(path, t, formatTokenizerJSON)
}

func formatTokenizerJSON(t Tokenizer) ([]byte, error) {
	e, ok := t.(extendable)
	if !ok {
		return nil, fmt.Errorf("type %T has no file form", t)
	}
	merges, err := mergesOf(t)
	if err != nil {
		return nil, err
	}
	f := tokenizerJSON{
		Version:     "1.0",
		AddedTokens: []addedToken{},
		Model:       &modelJSON{Type: "BPE", Vocab: vocabOf(e), Merges: merges},
	}
	switch t := t.(type) {
	case *bpe, *byteLevel:
		f.PreTokenizer = byteLevelComponent()
		f.PostProcessor = byteLevelComponent()
		f.Decoder = byteLevelComponent()
	case *gpt1:
		unknown, suffix := written(t, t.unknown), writtenEndOfWord
		f.Model.Unknown, f.Model.Suffix = &unknown, &suffix
		f.AddedTokens = append(f.AddedTokens, addedToken{ID: t.unknown, Content: unknown, Special: true})
		f.Normalizer = component{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true}
		f.PreTokenizer = component{"type": "BertPreTokenizer"}
		f.Decoder = component{"type": "BPEDecoder", "suffix": suffix}
	case *char:
		f.Decoder = component{"type": "Fuse"}
	case *wordPiece:
		unknown, prefix, longest := written(t, t.unknown), withinWord, longestWord
		f.Model = &modelJSON{Type: wordPieceType, Unknown: &unknown, Prefix: &prefix, LongestWord: &longest, Vocab: vocabOf(e)}
		f.AddedTokens = append(f.AddedTokens, addedToken{ID: t.unknown, Content: unknown, Special: true})
		f.Normalizer = component{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": t.fold}
		f.PreTokenizer = component{"type": "BertPreTokenizer"}
		f.Decoder = component{"type": "WordPiece", "prefix": prefix, "cleanup": true}
	}
	if id := Begin(t); id >= 0 {
		name, _ := e.base().specialName(id)
		before := beginComponent(id, name)
		if f.PostProcessor == nil {
			f.PostProcessor = before
		} else {
			f.PostProcessor = component{"type": "Sequence", "processors": []any{f.PostProcessor, before}}
		}
	}
	for _, s := range t.SpecialTokens() {
		f.AddedTokens = append(f.AddedTokens, addedTokenOf(s, true))
	}
	for _, s := range e.base().added {
		f.AddedTokens = append(f.AddedTokens, addedTokenOf(s, false))
	}
	slices.SortFunc(f.AddedTokens, func(a, b addedToken) int { return cmp.Compare(a.ID, b.ID) })
	return formatJSON(f)
}

func addedTokenOf(s SpecialToken, special bool) addedToken {
	return addedToken{ID: s.ID, Content: s.Name, SingleWord: s.SingleWord, LStrip: s.LStrip, RStrip: s.RStrip, Normalized: !special, Special: special}
}

func byteLevelComponent() component {
	return component{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
}

// vocabOf returns the names of all tokens, the special ones included, as GPT-2's
// vocabulary has its end of text.
func vocabOf(t extendable) vocabJSON {
	v := make(vocabJSON, t.VocabSize())
	for id := range int32(t.VocabSize()) {
		v[written(t, id)] = id
	}
	return v
}

// mergesOf returns the merges of a tokenizer; kinds without merges have none.
func mergesOf(t Tokenizer) ([]merge, error) {
	merges := []merge{}
	switch t := t.(type) {
	case *bpe:
		pairs, err := t.pairs()
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			merges = append(merges, merge{printable(t.ranked[p[0]]), printable(t.ranked[p[1]])})
		}
	case *gpt1:
		pairs, err := t.pairs()
		if err != nil {
			return nil, err
		}
		for _, p := range pairs[t.first:] {
			merges = append(merges, merge{t.inFile(p[0]), t.inFile(p[1])})
		}
	}
	return merges, nil
}
