package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
)

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
