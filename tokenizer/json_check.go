package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
)

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
