package tokenizer

import (
	"strings"
	"testing"
)

// fileOf returns the file of tok in a form, such as formatTokenizerJSON's.
func fileOf(t testing.TB, format func(Tokenizer) ([]byte, error), tok Tokenizer) string {
	b, err := format(tok)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestJSONErrors changes one place in a good file each time.
func TestJSONErrors(t *testing.T) {
	small, err := TrainBPE(texts("abab"), 259, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	bpeFile, charFile, gpt1File := fileOf(t, formatTokenizerJSON, small), fileOf(t, formatTokenizerJSON, newChar([]rune("abc"))), fileOf(t, formatTokenizerJSON, mustRead(t, "testdata/golden/lowercase"))
	for _, c := range []struct {
		name, file, old, new, want string
	}{
		{"empty", "", "", "", "line 1: the file ends in the middle of the JSON"},
		{"cut off", bpeFile[:len(bpeFile)-9], "", "", "the file ends in the middle of the JSON"},
		{"binary", "\x1f\x8b\xff", "", "", "it is not UTF-8 text"},
		{"not JSON", "Ġ t\n", "", "", "line 1: invalid character"},
		{"syntax", bpeFile, `"version": "1.0",`, `"version": "1.0"`, "line 3: invalid character"},
		{"type", bpeFile, `"merges": [`, `"merges": 1, "x": [`, `key "model.merges" has a number, expected a list`},
		{"more after it", bpeFile + "{}", "", "", "there is more after the JSON value"},
		{"no model", "{}", "", "", `key "model" is missing`},
		{"other model", bpeFile, `"BPE"`, `"Unigram"`, `key "model.type" is "Unigram", expected "BPE"`},
		{"SentencePiece's", `{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["▁a", -1.5]]}}`, "", "", `key "model.type" is "Unigram", expected "BPE"`},
		{"dropout", bpeFile, `"dropout": null`, `"dropout": 0.1`, `key "model.dropout" is 0.1, expected null`},
		{"prefix", bpeFile, `"continuing_subword_prefix": null`, `"continuing_subword_prefix": "##"`, `key "model.continuing_subword_prefix" is "##"`},
		{"suffix", bpeFile, `"end_of_word_suffix": null`, `"end_of_word_suffix": "_"`, `key "model.end_of_word_suffix" is "_"`},
		{"fallback", bpeFile, `"byte_fallback": false`, `"byte_fallback": true`, `"model.byte_fallback"`},
		{"fused", gpt1File, `"fuse_unk": false`, `"fuse_unk": true`, `"model.fuse_unk"`},
		{"prefix space", bpeFile, `"add_prefix_space": false`, `"add_prefix_space": true`, `keys "normalizer" and "pre_tokenizer" are null and {"add_prefix_space":true`},
		{"no pattern", bpeFile, `"use_regex": true`, `"use_regex": false`, "use_regex true"},
		{"other splitting", bpeFile, `"type": "ByteLevel"`, `"type": "Whitespace"`, `{"add_prefix_space":false,"trim_offsets":true,"type":"Whitespace","use_regex":true}`},
		{"normaliser", bpeFile, `"normalizer": null`, `"normalizer": {"type": "NFC"}`, `are {"type":"NFC"} and`},
		{"upper case", gpt1File, `"lowercase": true`, `"lowercase": false`, "in lower case"},
		{"no unknown", gpt1File, `"unk_token": "<unk>"`, `"unk_token": null`, `the unknown token "" is not in the vocabulary`},
		{"post-processor", gpt1File, `"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "special_tokens": {"<s>": {}}}`, `key "post_processor" is`},
		{"two before", charFile, `"single": [`, `"single": [{"SpecialToken": {"id": "<|endoftext|>"}},`, `puts one token before a text and none after it`},
		{"one after", charFile, `"single": [`, `"single": [{"Sequence": {"id": "A"}}, `, `key "post_processor" is`},
		{"unknown before", charFile, `"single": [`, `"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "double": [`, `key "post_processor" puts "<s>" before a text, which is no special token`},
		{"truncation", bpeFile, `"truncation": null`, `"truncation": {"max_length": 8}`, `key "truncation" is {"max_length":8}, expected null`},
		{"padding", bpeFile, `"padding": null`, `"padding": {"strategy": "BatchLongest"}`, `key "padding" is {"strategy":"BatchLongest"}, expected null`},
		{"added elsewhere", bpeFile, `"id": 258`, `"id": 3`, `added token "<|endoftext|>" has id 3, in the model's vocabulary it has 258`},
		{"swapped merge", bpeFile, `"a b"`, `"b a"`, `merge 1, "b a": "ba" is not in the vocabulary`},
		{"other merge", bpeFile, `"ab ab"`, `"a bab"`, `merge 2, "a bab", is not what the merges before it leave of its text, "ab ab"`},
		{"merge without space", bpeFile, `"a b"`, `"ab"`, `merge "ab": expected two tokens with a space between them`},
		{"pair of three", bpeFile, `"a b"`, `["a", "b", "c"]`, `expected two tokens`},
		{"strange character", bpeFile, `"ab": 256`, `"a磨": 256`, `token 256, "a磨": '磨' (U+78E8) does not stand for a byte`},
		{"merge twice", bpeFile, `"ab ab"`, `"a b"`, `merge 2, "a b", makes a token that is there already, with id 256`},
		{"no merge", bpeFile, ",\n      \"ab ab\"", "", `token 257, "abab", is neither a byte, nor made by a merge, nor a special token`},
		{"merge to special", bpeFile, `"ab ab"`, `"<|endo ftext|>"`, `makes a special token`},
		{"a byte is special", bpeFile, `"content": "<|endoftext|>"`, `"content": "a"`, `added token "a" has id 258`},
		{"an id twice", bpeFile, `"ab": 256`, `"ab": 257`, `tokens "ab" and "abab" have the same id, 257`},
		{"an id beyond", bpeFile, `"ab": 256`, `"ab": 2560`, `token "ab" has id 2560, but there are 259 tokens`},
		{"negative id", bpeFile, `"ab": 256`, `"ab": -1`, `token "ab" has id -1`},
		{"byte missing", bpeFile, `"!": 0`, `"!!": 0`, `token 0, "!!", is neither a byte`},
		{"two characters", charFile, `"b": 1`, `"bb": 1`, `token 1, "bb": expected a single character`},
		{"empty token", charFile, `"b": 1`, `"": 1`, `token 1 has an empty name`},
		{"no characters", charFile, "\"a\": 0,\n      \"b\": 1,\n      \"c\": 2,\n      \"<|endoftext|>\": 3", "", ``},
		{"chars unknown", charFile, `"unk_token": null`, `"unk_token": "a"`, `single characters`},
	} {
		file := c.file
		if c.old != "" {
			if !strings.Contains(file, c.old) {
				t.Fatalf("%s: no %s in %s", c.name, c.old, file)
			}
			file = strings.Replace(file, c.old, c.new, 1)
		}
		_, err := parseTokenizerJSON([]byte(file), "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error has several lines: %q", c.name, err)
		}
	}
}

// TestJSONVariants: other ways to write the same are read.
func TestJSONVariants(t *testing.T) {
	small, err := TrainBPE(texts("abab"), 259, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	file := fileOf(t, formatTokenizerJSON, small)
	for _, c := range [][2]string{
		{`"a b"`, `["a", "b"]`},
		{`"type": "BPE",`, ``},
		{`"ignore_merges": false`, `"ignore_merges": true`},
		{`"version"`, `"new key": {}, "version"`},
		{`, "use_regex": true`, ``},
		{`"continuing_subword_prefix": null`, `"continuing_subword_prefix": ""`},
		{`"end_of_word_suffix": null`, `"end_of_word_suffix": ""`},
		{`"<|endoftext|>": 258`, `"<|endoftext|>": 258`},
		{",\n      \"<|endoftext|>\": 258", ``}, // in added_tokens only
	} {
		got, err := parseTokenizerJSON([]byte(strings.Replace(file, c[0], c[1], 1)), "")
		if err != nil || Fingerprint(got) != Fingerprint(small) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
}

// FuzzJSON: a file that is accepted describes a tokenizer that survives writing.
func FuzzJSON(f *testing.F) {
	for _, tok := range allKinds(f) {
		if tok.VocabSize() < 1000 {
			f.Add([]byte(fileOf(f, formatTokenizerJSON, tok)))
		}
	}
	f.Add([]byte(readTestdata(f, "golden/bytelevel/tokenizer.json")))
	f.Add([]byte(`{"model":{"vocab":{"a":0,"b":1},"merges":[]}}`))
	f.Add([]byte(`{"model":{"vocab":{"\ud800":0},"merges":[]},"added_tokens":[{"id":0,"special":true}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if tok, err := parseTokenizerJSON(b, ""); err == nil {
			checkSurvives(t, tok)
		}
	})
}
