package tokenizer

import (
	"path/filepath"
	"strings"
	"testing"

	"tinygpt/internal/fixture"
)

// FuzzConfig: a folder with any tokenizer_config.json is read, or refused in one line.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{`{"eos_token": "<|endoftext|>", "add_bos_token": true}`, `{"eos_token": {"content": 3}}`, `null`, `{"chat_template": "{% for m in messages %}"}`, `{"eos_token": -1, "model_max_length": 1e30}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := Save(dir, NewByte(), 0); err != nil {
			t.Fatal(err)
		}
		fixture.Write(t, filepath.Join(dir, "tokenizer_config.json"), text)
		tok, err := ReadHuggingFace(dir)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		if end := tok.EndOfText(); int(end) >= tok.VocabSize() {
			t.Errorf("the end of text is %d of %d tokens", end, tok.VocabSize())
		}
	})
}
