package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
)

// The files of a tokenizer in a folder of Hugging Face's.
const (
	jsonFile       = "tokenizer.json"
	configFile     = "tokenizer_config.json"
	specialMapFile = "special_tokens_map.json"
	vocabTXTFile   = "vocab.txt" // BERT's
	addedFile      = "added_tokens.json"
)

// vocabFiles are the names under which a vocabulary and its merges lie: Hugging
// Face's, OpenAI's for GPT-2 and OpenAI's for GPT-1, each with .gz or without.
var vocabFiles = [][2]string{
	{"vocab.json", "merges.txt"},
	{"encoder.json", "vocab.bpe"},
	{"encoder_bpe_40000.json", "vocab_40000.bpe"},
}

// tokenizerConfig is what we use of tokenizer_config.json and
// special_tokens_map.json.
type tokenizerConfig struct {
	EndOfText   tokenName              `json:"eos_token"`
	Begin       tokenName              `json:"bos_token"`
	AddBegin    *bool                  `json:"add_bos_token"` // before each text; absent: as tokenizer.json says
	Unknown     tokenName              `json:"unk_token"`
	AddedTokens map[string]configToken `json:"added_tokens_decoder"`
	LowerCase   *bool                  `json:"do_lower_case"`          // of BERT's; absent: yes
	Chinese     *bool                  `json:"tokenize_chinese_chars"` // likewise
	// ChatTemplate is a Jinja template; see WithChatTemplate.
	ChatTemplate templateJSON `json:"chat_template"`
}

// configToken is an added token of tokenizer_config.json. One that doesn't say whether
// it is special is.
type configToken struct {
	addedToken
	Special *bool `json:"special"`
}

// tokenName is a token's name: a string in the file, an object whose content it is, or
// absent.
type tokenName string

func (n *tokenName) UnmarshalJSON(b []byte) error {
	var object struct {
		Content string `json:"content"`
	}
	if json.Unmarshal(b, &object) == nil {
		*n = tokenName(object.Content)
		return nil
	}
	var name *string
	if err := json.Unmarshal(b, &name); err != nil {
		return fmt.Errorf("a token is %.40q, expected its name", b)
	}
	if name != nil {
		*n = tokenName(*name)
	}
	return nil
}

// ReadHuggingFace reads the tokenizer of a folder: tokenizer.json if there is one (see
// ReadJSON), else vocab.json and merges.txt, or OpenAI's encoder.json and vocab.bpe (GPT-2),
// or encoder_bpe_40000.json and vocab_40000.bpe (GPT-1), or BERT's vocab.txt (WordPiece). The
// end of text is the eos_token of tokenizer_config.json or special_tokens_map.json; where these
// are absent or name none, <|endoftext|> if that is a special token. What comes before each
// text (Begin) is what the files say: add_bos_token of tokenizer_config.json, else the
// post-processor of tokenizer.json.
func ReadHuggingFace(dir string) (Tokenizer, error) {
	var config tokenizerConfig
	for _, name := range []string{specialMapFile, configFile} { // the second has the last word
		path := filepath.Join(dir, name)
		b, err := userfile.ReadRegular(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := parseJSON(b, &config); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	path := filepath.Join(dir, jsonFile)
	b, err := userfile.ReadRegular(path)
	if err == nil {
		t, err := parseTokenizerJSON(b, string(config.EndOfText))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if t, err = config.begin(t); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, configFile), err)
		}
		return readChatTemplate(t, dir, config)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, names := range vocabFiles {
		t, err := readVocabFiles(dir, names[0], names[1], config)
		if !errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
	}
	t, err := readVocabTXT(dir, config)
	if !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	absolute, _ := filepath.Abs(dir)
	return nil, fmt.Errorf("%s: no tokenizer in it: expected %s, or %s and %s, or %s and %s, or %s", absolute, jsonFile, vocabFiles[0][0], vocabFiles[0][1], vocabFiles[1][0], vocabFiles[1][1], vocabTXTFile)
}

// readVocabTXT reads BERT's vocabulary; the error is fs.ErrNotExist if there is none. Texts
// begin with [CLS].
func readVocabTXT(dir string, config tokenizerConfig) (Tokenizer, error) {
	path := filepath.Join(dir, vocabTXTFile)
	b, err := readPlainOrGzip(path)
	if err != nil {
		return nil, err
	}
	v := &vocabulary{special: map[string]bool{}, added: map[string]bool{}, match: map[string]Match{}, endOfText: string(config.EndOfText), unknown: string(config.Unknown)}
	if v.ids, err = parseVocabTXT(b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if config.Chinese != nil && !*config.Chinese {
		return nil, fmt.Errorf("%s: tokenize_chinese_chars is false: expected true, each Chinese character being a word", filepath.Join(dir, configFile))
	}
	for _, name := range append([]string{v.endOfText}, bertSpecial...) {
		if _, ok := v.ids[name]; ok {
			v.special[name] = true
		}
	}
	if err := addTokens(v, dir, config); err != nil {
		return nil, err
	}
	t, err := newWordPiece(v, config.LowerCase == nil || *config.LowerCase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	begin, ok := SpecialID(t, bertBegin)
	if !ok {
		begin = -1
	}
	begun, err := WithBegin(t, begin)
	if err == nil {
		begun, err = config.begin(begun)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, configFile), err)
	}
	return readChatTemplate(begun, dir, config)
}

// readVocabFiles reads a vocabulary and its merges; the error is fs.ErrNotExist if
// there is no such vocabulary.
func readVocabFiles(dir, vocabName, mergesName string, config tokenizerConfig) (Tokenizer, error) {
	path := filepath.Join(dir, vocabName)
	b, err := readPlainOrGzip(path)
	if err != nil {
		return nil, err
	}
	v := &vocabulary{
		special:   make(map[string]bool),
		added:     make(map[string]bool),
		match:     make(map[string]Match),
		endOfText: string(config.EndOfText),
		unknown:   string(config.Unknown),
	}
	if err := parseJSON(b, &v.ids); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if v.ids == nil {
		return nil, fmt.Errorf("%s: expected an object of tokens and their ids", path)
	}
	mergesPath := filepath.Join(dir, mergesName)
	if b, err = readPlainOrGzip(mergesPath); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is %s, but not the merges that belong to it in %s", dir, vocabName, mergesName)
	} else if err != nil {
		return nil, err
	}
	if v.merges, err = parseMerges(b); err != nil {
		return nil, fmt.Errorf("%s: %w", mergesPath, err)
	}
	if err := addTokens(v, dir, config); err != nil {
		return nil, err
	}
	t, err := v.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", path, mergesName, err)
	}
	if t, err = WithBegin(t, -1); err == nil { // as transformers without a tokenizer.json
		t, err = config.begin(t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, configFile), err)
	}
	return readChatTemplate(t, dir, config)
}

// begin gives t the token before each text that the file names.
func (c tokenizerConfig) begin(t Tokenizer) (Tokenizer, error) {
	switch {
	case c.AddBegin == nil:
		return t, nil
	case !*c.AddBegin:
		return WithBegin(t, -1)
	}
	id, ok := SpecialID(t, string(c.Begin))
	if !ok {
		return nil, fmt.Errorf("add_bos_token is true, but bos_token %q is no special token", c.Begin)
	}
	return WithBegin(t, id)
}

// addTokens adds the tokens that were added to a vocabulary later, which lie in
// tokenizer_config.json or, from older versions, added_tokens.json.
func addTokens(v *vocabulary, dir string, config tokenizerConfig) error {
	added := make(map[string]int32)
	path := filepath.Join(dir, addedFile)
	if b, err := userfile.ReadRegular(path); err == nil {
		if err := parseJSON(b, &added); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path = filepath.Join(dir, configFile)
	text := make(map[string]bool)
	for key, a := range config.AddedTokens {
		v.match[a.Content] = Match{a.SingleWord, a.LStrip, a.RStrip}
		text[a.Content] = a.Special != nil && !*a.Special
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil {
			return fmt.Errorf("%s: key \"added_tokens_decoder.%s\": expected an id", path, key)
		}
		added[a.Content] = int32(id)
	}
	for name, id := range added {
		if old, ok := v.ids[name]; ok && old != id {
			return fmt.Errorf("%s: added token %q has id %d, in the vocabulary it has %d", path, name, id, old)
		}
		v.ids[name] = id
		if text[name] {
			v.added[name] = true
		} else if name != v.unknown || name == v.endOfText {
			v.special[name] = true
		}
	}
	return nil
}

// Save writes t into the folder dir, which must exist, as today's transformers
// does: tokenizer.json and, with the end of text and the longest text in tokens
// that the model takes (context; 0 if that is not known), tokenizer_config.json.
// ReadHuggingFace reads them back; so does AutoTokenizer.from_pretrained(dir) in
// transformers, with the same ids (see WriteJSON).
func Save(dir string, t Tokenizer, context int) error {
	config, err := formatJSON(configOf(t, context))
	if err == nil {
		err = atomicfile.WriteFile(filepath.Join(dir, configFile), config)
	}
	if err != nil {
		return fmt.Errorf("writing tokenizer %s to %s: %w", t.Name(), dir, err)
	}
	return WriteJSON(filepath.Join(dir, jsonFile), t)
}

// WriteHuggingFace does what Save does, and adds the files that older versions and
// other programs read: special_tokens_map.json, and vocab.json with merges.txt.
// The last two have no way to say that text is split into characters, so the char
// kind goes without.
func WriteHuggingFace(dir string, t Tokenizer, context int) error {
	if err := Save(dir, t, context); err != nil {
		return err
	}
	files := make(map[string][]byte)
	var err error
	config := configOf(t, context)
	special := make(map[string]any)
	for _, key := range []string{"bos_token", "eos_token", "unk_token", "additional_special_tokens"} {
		if value, ok := config[key]; ok {
			special[key] = value
		}
	}
	if files[specialMapFile], err = formatJSON(special); err != nil {
		return err
	}
	switch t := t.(type) {
	case *char:
	case *wordPiece:
		files[vocabTXTFile] = []byte(strings.Join(t.names, "\n") + "\n")
	default:
		if files["vocab.json"], err = formatJSON(vocabOf(t.(extendable))); err != nil {
			return err
		}
		merges, err := mergesOf(t)
		if err != nil {
			return err
		}
		b := []byte("#version: 0.2\n")
		for _, m := range merges {
			b = fmt.Appendf(b, "%s %s\n", m[0], m[1])
		}
		files["merges.txt"] = b
	}
	for name, b := range files {
		if err := atomicfile.WriteFile(filepath.Join(dir, name), b); err != nil {
			return fmt.Errorf("writing tokenizer %s: %w", t.Name(), err)
		}
	}
	return nil
}

// configOf is the content of tokenizer_config.json.
func configOf(t Tokenizer, context int) map[string]any {
	c := map[string]any{
		"clean_up_tokenization_spaces": false,
		"tokenizer_class":              "PreTrainedTokenizerFast",
	}
	if context > 0 {
		c["model_max_length"] = context
	}
	added := make(map[string]any)
	add := func(id int32, name string) {
		added[strconv.Itoa(int(id))] = map[string]any{
			"content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true,
		}
	}
	var more []string
	for _, s := range t.SpecialTokens() {
		add(s.ID, s.Name)
		switch s.ID {
		case t.EndOfText():
			c["eos_token"] = s.Name
			if _, ok := c["bos_token"]; !ok {
				c["bos_token"] = s.Name
			}
		case Begin(t):
			c["bos_token"] = s.Name
		default:
			more = append(more, s.Name)
		}
	}
	switch t := t.(type) {
	case *bpe, *byteLevel:
		// The class insists on an unknown token, though no byte is unknown.
		if end, ok := c["eos_token"]; ok {
			c["tokenizer_class"], c["unk_token"] = "GPT2Tokenizer", end
			c["add_prefix_space"], c["errors"] = false, "replace"
		}
	case *gpt1:
		c["tokenizer_class"], c["unk_token"] = "OpenAIGPTTokenizer", written(t, t.unknown)
		add(t.unknown, written(t, t.unknown))
	case *wordPiece:
		c["unk_token"] = written(t, t.unknown)
		add(t.unknown, written(t, t.unknown))
		for key, name := range map[string]string{"pad_token": "[PAD]", "cls_token": bertBegin, "sep_token": bertEnd, "mask_token": "[MASK]"} {
			if _, ok := SpecialID(t, name); ok {
				c[key] = name
				more = slices.DeleteFunc(more, func(s string) bool { return s == name })
			}
		}
	}
	if len(more) > 0 {
		c["additional_special_tokens"] = more
	}
	c["added_tokens_decoder"] = added
	c["add_bos_token"] = Begin(t) >= 0
	if template := ChatTemplate(t); template != "" {
		c["chat_template"] = template
	}
	return c
}
