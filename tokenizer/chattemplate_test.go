package tokenizer

import (
	"path/filepath"
	"testing"

	"tinygpt/internal/fixture"
)

// A template survives files, further special tokens, and doesn't change the ids.
func TestChatTemplate(t *testing.T) {
	const template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
	plain := NewByte()
	tok, err := WithChatTemplate(plain, template)
	if err != nil {
		t.Fatal(err)
	}
	if Fingerprint(tok) != Fingerprint(plain) || ChatTemplate(plain) != "" {
		t.Error("a chat template changes what ids mean, or the tokenizer it was added to")
	}
	if tok, err = WithSpecialTokens(tok, "<|user|>"); err != nil || ChatTemplate(tok) != template {
		t.Fatalf("with a special token the template is %q, %v", ChatTemplate(tok), err)
	}
	dir := t.TempDir()
	if err := WriteHuggingFace(dir, tok, 64); err != nil {
		t.Fatal(err)
	}
	read, err := ReadHuggingFace(dir)
	if err != nil || ChatTemplate(read) != template {
		t.Errorf("read back, the template is %q, %v", ChatTemplate(read), err)
	}
	fixture.Write(t, filepath.Join(dir, chatTemplateFile), "x")
	if read, err := ReadHuggingFace(dir); err != nil || ChatTemplate(read) != "x" {
		t.Errorf("with a file of its own, the template is %q, %v", ChatTemplate(read), err)
	}
	var c templateJSON
	if err := c.UnmarshalJSON([]byte(`[{"name": "tool", "template": "a"}, {"name": "default", "template": "b"}]`)); err != nil || c != "b" {
		t.Errorf("of a list of templates it reads %q, %v", c, err)
	}
}
