package tokenizer

import (
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// What comes before a text is kept by files, the end of text by default, and doesn't change what
// the tokens are.
func TestBegin(t *testing.T) {
	own, err := TrainBPE(texts("abab"), 259, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	if Begin(own) != own.EndOfText() || Begin(NewByte()) != 256 {
		t.Errorf("texts begin with %d and %d, expected the ends of text %d and 256", Begin(own), Begin(NewByte()), own.EndOfText())
	}
	if _, err := WithBegin(own, 0); err == nil {
		t.Error("token 0, which isn't special, begins texts")
	}
	for _, tok := range allKinds(t) {
		if tok.VocabSize() > 10_000 {
			continue
		}
		for _, id := range []int32{tok.EndOfText(), -1} {
			other, err := WithBegin(tok, id)
			if err != nil {
				t.Fatal(err)
			}
			if Begin(other) != id || other.Name() != tok.Name() || Fingerprint(other) != Fingerprint(tok) {
				t.Errorf("%s: begins with %d, expected %d; its name is %s", tok.Name(), Begin(other), id, other.Name())
			}
			dir := t.TempDir()
			if err := WriteHuggingFace(dir, other, 0); err != nil {
				t.Fatal(err)
			}
			both := mustRead(t, dir)
			alone, err := ReadJSON(filepath.Join(dir, jsonFile))
			if err != nil {
				t.Fatal(err)
			}
			if Begin(both) != id || Begin(alone) != id {
				t.Errorf("%s: of the folder %d, of tokenizer.json %d, expected %d", tok.Name(), Begin(both), Begin(alone), id)
			}
		}
	}
}

// tokenizer_config.json has the last word; without it and a post-processor nothing is added, as
// in transformers.
func TestBeginFromFiles(t *testing.T) {
	tok, err := TrainBPE(texts("abab"), 259, MinCount(1))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Save(dir, tok, 0); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, configFile)
	for text, want := range map[string]int32{
		`{"eos_token": "<|endoftext|>"}`:                                                   258,
		`{"eos_token": "<|endoftext|>", "add_bos_token": false}`:                           -1,
		`{"bos_token": {"content": "<|endoftext|>"}, "add_bos_token": true}`:               258,
		`{"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "add_bos_token": 1}`: -2,
		`{"bos_token": "<s>", "add_bos_token": true}`:                                      -2,
		`{"add_bos_token": true}`:                                                          -2,
	} {
		fixture.Write(t, config, text)
		got, err := ReadHuggingFace(dir)
		switch {
		case want == -2:
			if err == nil || !strings.Contains(err.Error(), "bos_token") {
				t.Errorf("%s: %v", text, err)
			}
		case err != nil:
			t.Errorf("%s: %v", text, err)
		case Begin(got) != want:
			t.Errorf("%s: begins with %d, expected %d", text, Begin(got), want)
		}
	}
	if got := mustRead(t, "testdata/golden/bytelevel"); Begin(got) != -1 {
		t.Errorf("a file of the tokenizers library without a template begins texts with %d", Begin(got))
	}
}

// Post-processors of other kinds.
func TestBegins(t *testing.T) {
	bert := component{"type": "BertProcessing", "sep": []any{"[SEP]", 102.0}, "cls": []any{"[CLS]", 101.0}}
	after := component{"type": "TemplateProcessing", "single": []any{
		map[string]any{"SpecialToken": map[string]any{"id": "[CLS]", "type_id": 0}},
		map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}},
		map[string]any{"SpecialToken": map[string]any{"id": "[SEP]", "type_id": 0}},
	}}
	for _, c := range []component{bert, after} {
		if name, ok := c.begins("[SEP]"); !ok || name != "[CLS]" {
			t.Errorf("%s begins with %q, %v", c, name, ok)
		}
		if name, ok := c.begins(""); ok {
			t.Errorf("%s: what it puts after a text is passed over; it begins with %q", c, name)
		}
	}
	twice := component{"type": "Sequence", "processors": []any{map[string]any(beginComponent(1, "a")), map[string]any(beginComponent(1, "a"))}}
	if _, ok := twice.begins(""); ok {
		t.Error("two tokens before a text are taken for one")
	}
}
