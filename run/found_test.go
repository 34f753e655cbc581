package run

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
)

// Classes, columns and grades of any spelling come back from a run's config.yaml as they
// were.
func FuzzFound(f *testing.F) {
	for _, s := range []string{"yes", "1", "null", "\n", "\t", "", "a: b", "# x", "'", `"`, "很好", "😀", "\x00", "\u2028", "\ufeff", "\\n", "<b>&", " a "} {
		f.Add(s, "b", 1.5)
	}
	f.Fuzz(func(t *testing.T, a, b string, x float64) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || x != x || x-x != 0 {
			return
		}
		want := Found{
			Program: a, TokenizerSHA256: "ab", TextSHA256: "0123", Training: Split{SHA256: "1e5", Bytes: 3, Tokens: 2}, FloorBits: x,
			Examples: finetune.Found{Classes: []string{a, b}, Mean: x, Columns: labelled.Columns{Text: []string{b}, Label: a}, SHA256: "12"},
		}
		text, err := configs.Encode(map[string]any{configs.FoundKey: want})
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseFound(text, "config.yaml")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v comes back as %+v: %v\n%s", want, got, err, text)
		}
	})
}

// What earlier programs wrote among the settings is found there.
func TestFoundBefore(t *testing.T) {
	text := `
data: {files: [/a.txt], val_fraction: 0.1, windows: random, sha256: "77e1"}
tokenizer: {kind: bpe, vocab_size: 300, sha256: "12e4"}
finetune: {task: classification, classes: ["no", "1"], choice_labels: "1", mean: 2.5, deviation: 0.5, sha256: ab}
`
	got, err := parseFound([]byte(text), "config.yaml")
	want := Found{TextSHA256: "77e1", TokenizerSHA256: "12e4", Examples: finetune.Found{Classes: []string{"no", "1"}, ChoiceLabels: "1", Mean: 2.5, Deviation: 0.5, SHA256: "ab"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if _, err := configs.Parse([]byte(text), "config.yaml"); err != nil {
		t.Error(err)
	}
}
