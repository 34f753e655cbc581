package tokenizer

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"tinygpt/internal/expect"
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

// FuzzChatTemplate: a template comes back from a folder as it was, also from a file of its
// own. One that isn't UTF-8 is refused in one line.
func FuzzChatTemplate(f *testing.F) {
	for _, s := range []string{
		"{% for m in messages %}{{ m['content'] }}{% endfor %}", "", "\x00", "\xff{{", "\"\\u0041\\", "{% include '/etc/passwd' %}", "</script>\u2028<|endoftext|>",
		strings.Repeat("{% for a in b %}", 1000), "{{ 'a' * 1000000000 }}", "null", `[{"name":"default","template":"x"}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, template string) {
		tok, err := WithChatTemplate(NewByte(), template)
		if (err == nil) != utf8.ValidString(template) {
			t.Fatalf("%q: %v", template, err)
		}
		dir := t.TempDir()
		if err != nil {
			expect.OneLine(t, err, "UTF-8")
			tok, template = NewByte(), ""
		}
		if err := WriteHuggingFace(dir, tok, 64); err != nil {
			t.Fatal(err)
		}
		if read, err := ReadHuggingFace(dir); err != nil || ChatTemplate(read) != template {
			t.Errorf("%q is read back as %q, %v", template, ChatTemplate(read), err)
		}
		fixture.Write(t, filepath.Join(dir, chatTemplateFile), template)
		if read, err := ReadHuggingFace(dir); err != nil {
			expect.OneLine(t, err)
		} else if got := ChatTemplate(read); template != "" && got != template {
			t.Errorf("%q of a file of its own is read as %q", template, got)
		}
	})
}

// FuzzTemplateJSON: the chat_template of a tokenizer_config.json is read, or refused in one
// line.
func FuzzTemplateJSON(f *testing.F) {
	for _, s := range []string{`"a"`, `null`, `3`, `[]`, `[{"name": "default", "template": "b"}]`, `[{"name": 3}]`, `[null]`, `{}`, `"\ud800"`, strings.Repeat("[", 20_000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c templateJSON
		if err := json.Unmarshal(text, &c); err != nil {
			expect.OneLine(t, err)
		}
	})
}
