package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tinygpt/data/instruct"
	"tinygpt/internal/expect"
	"tinygpt/tokenizer"
)

// withTemplate is a tokenizer of bytes with special tokens and a template.
func withTemplate(t testing.TB, template string) tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.WithSpecialTokens(tokenizer.NewByte(), "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>")
	if err != nil {
		t.Fatal(err)
	}
	begin, _ := tokenizer.SpecialID(tok, "<s>")
	if tok, err = tokenizer.WithBegin(tok, begin); err != nil {
		t.Fatal(err)
	}
	if tok, err = tokenizer.WithChatTemplate(tok, template); err != nil {
		t.Fatal(err)
	}
	return tok
}

// Templates of known formats give the texts that transformers gives, and refuse what it
// refuses; testdata/jinja.py has made the file.
func TestJinja(t *testing.T) {
	b := expect.File(t, "testdata/jinja.json")
	var cases []struct {
		Name, Template, Text, Refused string
		Messages                      []Message
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		j, err := newJinja(withTemplate(t, c.Template))
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		j.begin, j.end = "<s>", "</s>"
		got, err := j.text(c.Messages)
		if (err != nil) != (c.Refused != "") {
			t.Errorf("%s of %q: error %v, want %q", c.Name, c.Messages, err, c.Refused)
		} else if err != nil {
			expect.OneLine(t, err)
		} else if got != c.Text {
			t.Errorf("%s of %q:\n got %q\nwant %q", c.Name, c.Messages, got, c.Text)
		}
	}
	if len(cases) < 60 {
		t.Errorf("%d cases only", len(cases))
	}
}

// A template says by itself what comes before an answer and what ends it.
func TestJinjaLearnsEnds(t *testing.T) {
	talk := []Message{{Role: instruct.User, Content: "a<|im_end|>b <s>"}}
	for template, want := range map[string]struct {
		text, lead, stop string
		ends             []string
	}{
		"{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}": {
			text: "<|im_start|>user\na<|im_end|>b <s><|im_end|>\n<|im_start|>assistant\n", ends: []string{"<|endoftext|>", "<|im_end|>"},
		},
		"{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:": {
			text: "user: a<|im_end|>b <s>\nassistant:", lead: " ", stop: "\nuser:", ends: []string{"<|endoftext|>"},
		},
		"{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}{{ eos_token }}{% endif %}{% endfor %}": {
			text: "<s>[INST] a<|im_end|>b <s> [/INST]", lead: " ", ends: []string{"<|endoftext|>"},
		},
	} {
		tok := withTemplate(t, template)
		j := templateOf(t, tok)
		var ends []string
		for _, id := range j.End() {
			ends = append(ends, tokenizer.TokenName(tok, id))
		}
		if j.Name() != "jinja" || j.Lead() != want.lead || strings.Join(j.Stop(), "") != want.stop || !slices.Equal(ends, want.ends) {
			t.Errorf("%q: %s, lead %q, stop %q, ends %q", template, j.Name(), j.Lead(), j.Stop(), ends)
		}
		ids, err := j.Render(talk)
		if err != nil {
			t.Fatal(err)
		}
		// Names that a user writes out stay text: special tokens are the template's alone.
		var text strings.Builder
		for _, id := range ids {
			if b := tok.Bytes(id); len(b) > 0 {
				text.Write(b)
			} else {
				text.WriteString(tokenizer.TokenName(tok, id))
			}
		}
		if text.String() != want.text {
			t.Errorf("%q becomes %q, want %q", template, text.String(), want.text)
		}
		for name, times := range map[string]int{"<|im_end|>": strings.Count(want.text, "<|im_end|>") - 1, "<s>": strings.Count(want.text, "<s>") - 1} {
			id, _ := tokenizer.SpecialID(tok, name)
			if n := len(slices.DeleteFunc(slices.Clone(ids), func(i int32) bool { return i != id })); n != times {
				t.Errorf("%q: the token %s comes %d times, want %d", template, name, n, times)
			}
		}
	}
}

// What can't be used is said in one line, and conversations are plain dialogues then.
func TestJinjaRefused(t *testing.T) {
	defer func(before time.Duration) { renderTime = before }(renderTime)
	const long = "{% set x = 'abcdefghijklmno' * 100 %}{% set x = x * 10 %}" // x has 15,000 bytes
	for template, want := range map[string]string{
		"{% for m in messages %}{{ m.content }}":          "jinja",
		"{{ messages":                                     "a tag doesn't end",
		"nothing of what was said":                        "leaves out what was said",
		"{% raw %}{{ x }}{% endraw %}":                    "raw block",
		"{{ '\\u00e9' }}":                                 `escape \u`,
		"{% include 'x' %}":                               `kind "include"`,
		"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "deeper than 100 times",
		"{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}": "deeper than 100 times",
		"{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}":                                    "deeper than 100 times",
		"{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{{ f() }}{% endcall %}":       `kind "call"`,
		"{% for i in range(1000000000) %}{{ i }}{% endfor %}":                                   "more than 10000 numbers",
		"{{ messages[5].content.x.y }}{{ raise_exception('no\nway') }}":                         "refuses the conversation",
		"{{ messages | nofilter }}":                                                             "nofilter",
		"{% for m in messages %}" + strings.Repeat("{{ m.content }}", 1<<14) + "{% endfor %}":   "expected up to 65536",
		// What would take all memory, or all of the stack, which nothing recovers from.
		"{{ 'a' * 100000000000000 }}":                                                                        "more than 256 times as long",
		"{% set n = 100000000000000 %}{{ 'a' * n }}":                                                         "multiplies by something else",
		"{% set l = [] %}{{ l.§append(l) }}{{ l }}":                                                          "the character",
		"{{ 'a' * 1_000_000_000_000 }}":                                                                      "multiplies by something else",
		"{{ 'a' | replace('', '" + strings.Repeat("c", 300) + "') }}":                                        "more than 256 times as long",
		"{{ 'a' * 200 * 200 }}":                                                                              "more than 256 times as long",
		"{{ 'a' | indent(1000000000) }}":                                                                     "more than 256 times as long",
		"{{ messages | tojson(indent=1000000000) }}":                                                         "more than 256 times as long",
		"{{ 'a' | replace('a', 'bbbbbbbbbb') | replace('b', '" + strings.Repeat("c", 90) + "') }}":           "more than 256 times as long",
		"{% set x = bos_token %}{{ x | replace('s', x) }}":                                                   "replaces something else",
		"{{ range(10000) | join(bos_token) }}":                                                               "joins with something else",
		"{{ range(1000)[1000000000000::-1] }}":                                                               "a step other than",
		"{{ range(1000)[:1000000000000:2] }}":                                                                "a step other than",
		"{% set x = namespace(a='abcdefgh') %}{% for i in range(60) %}{% set x.a = x.a ~ x.a %}{% endfor %}": "a value of more than",
		"{% set x = ['a'] %}" + strings.Repeat("{% set x = [x, x, x, x] %}", 30) + "{{ x }}":                 "a value of more than",
		"{% for a in range(10000) %}{% for b in range(10000) %}longer than it looks{% endfor %}{% endfor %}": "writes too much",
		"{% set n = namespace() %}{% set n.a = n %}{{ n }}":                                                  "a namespace in another value",
		"{% set n = namespace() %}{% set n.a = [{'b': n}] %}{{ n | string }}":                                "a namespace in another value",
		"{% set n = namespace() %}{% set m = namespace(a=n) %}{% set n.b = m %}":                             "a namespace in another value",
		"{% set m = messages[0] %}{% set m.a = messages %}{{ messages }}":                                    "something else than a namespace",
		"{% set l = [] %}{{ l.append(l) }}{{ l }}":                                                           "calls append",
		"{{ _gpt_kept('a') }}":                                                                               "reserved",
		"{{ 'a') ~ ('b' }}":                                                                                  "isn't open",
		"{{ 'a', 'b' }}":                                                                                     "several values",
		"{% macro f(x) %}{{ x }}{% endmacro %}{% set x = '" + strings.Repeat("a", 400) + "' %}{{ f(" + strings.Repeat("x ~ ", 98) + "x) }}": "a value of more than",
		"{{ " + strings.Repeat("[", 400) + strings.Repeat("]", 400) + " }}":                                                                 "nested deeper",
		"{{ " + strings.Repeat("x ~ ", 200) + "x }}":                                                                                        "more than 100 names",
		"{{ '[[]]' | from_json }}":                                                                                     "from_json",
		"{% macro f(a=f()) %}{% endmacro %}{{ f() }}":                                                                  "the default of a parameter",
		"{{ " + strings.Repeat("-", 900) + "1 }}":                                                                      "three signs in a row",
		"{{ " + strings.Repeat("'a' ~ ", 600) + "1 }}":                                                                 "more than 1000 words",
		strings.Repeat("{% if a %}", 60) + strings.Repeat("{% endif %}", 60):                                           "blocks nested deeper than 50",
		"{{ 'a' | indent(2 + 10000000000) }}":                                                                          "indents by something else",
		"{{ 'a' | indent(2, width=10000000000) }}":                                                                     "more than 256 times as long",
		"{{ messages | tojson(indent=2 + 10000000000) }}":                                                              "indents by something else",
		"{% set x = 'a' %}{{ messages | tojson(separators=(x, x)) }}":                                                  "separates by something else",
		"{% set x = 'a' %}{{ x | replace('a', 'b' ~ x) }}":                                                             "replaces something else",
		"{% set x = 'a' %}{{ (x.replace)('a', x) }}":                                                                   "the method replace without calling it",
		"{% set x = 'a' %}{{ range(9) | join('', d=x) }}":                                                              "joins with something else",
		"{% set n = namespace() %}{% set n.a = cycler(1, n) %}{{ n.a.next() ~ n }}":                                    "cycler",
		long + "{{ x | list | string | list | string | length }}":                                                      "a value of more than",
		long + "{{ (x ~ x ~ x) | list | length }}":                                                                     "a value of more than",
		long + "{{ (x ~ x ~ x).split('') | length }}":                                                                  "a value of more than",
		long + "{{ (x ~ x ~ x)[0] }}":                                                                                  "a value of more than",
		long + "{{ (x ~ x ~ x) * 200 }}":                                                                               "a value of more than",
		long + "{% for a in x ~ x ~ x %}{% endfor %}":                                                                  "a value of more than",
		long + "{% for a in range(9) if x ~ x ~ x %}{% endfor %}":                                                      "a value of more than",
		"{% set r = range(300) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}": "takes longer than",
	} {
		renderTime = time.Minute // also on a busy machine
		if strings.HasPrefix(want, "takes longer") {
			renderTime = time.Second / 4
		}
		tok := withTemplate(t, template)
		got, err := TemplateOf(tok)
		expect.Error(t, err, want)
		if got.Name() != "plain" {
			t.Errorf("%q: the template is %s", template, got.Name())
		}
	}
}

// What can grow is measured before it does, in all of the values and in no other part of a tag.
func TestMeasured(t *testing.T) {
	expect.Texts(t, map[string]string{
		"x":                               "x",
		"a ~ b * 3":                       "a ~ K(b) * 3",
		"a | trim * 3":                    "K(a | K | trim) * 3",
		"f(a)[0].b('|') | join(', ')":     "K(f(a)[0]).b('|') | K | join(', ')",
		"not (a ~ b)[0]":                  "not K((a ~ b))[0]",
		"a.b.strip().split('x')[-1]":      "K(K(a.b).strip()).split('x')[-1]",
		"'a'.upper() if x in [1, y] else": "K('a').upper() if x in [1, y] else",
		"loop.cycle(1, 2)":                "loop.cycle(1, 2)",
		"f(x)":                            "f(x)",
	}, func(code string) string { return strings.ReplaceAll(measured(code), keptName, "K") })
	expect.Texts(t, map[string]string{
		"for a in b":              "for a in K(b)",
		"for a, b in c.d() if b":  "for a, b in K(c.d()) if K( b)",
		"for a in range(f(3))":    "for a in range(f(3))",
		"for a in range(3) + [x]": "for a in K(range(3) + [x])",
		"for a":                   "for a",
	}, func(code string) string { return strings.ReplaceAll(measuredLoop(code), keptName, "K") })
}

// FuzzJinja: any template is used or refused in one line, and what people say never becomes
// one of its tokens.
func FuzzJinja(f *testing.F) {
	for _, template := range []string{
		"{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
		"{{ bos_token }}{%- for m in messages -%}{% set x = namespace(a=1) %}{{- m['content'][::-1] ~ x.a -}}{%- endfor +%}{# c #}",
		"{% set n = namespace(a='ab') %}{% for i in range(40) %}{% set n.a = n.a ~ n.a %}{% endfor %}{% set n.b = [n] %}{{ n }}",
		"{% macro f(m, n=2) %}{{ m.content * 3 ~ n }}{% endmacro %}{% for m in messages %}{{ f(m) }}{% endfor %}",
		"{% for m in messages | selectattr('role', 'equalto', 'user') %}{{ m | tojson }}{% continue %}{% else %}{{ range(3) | join }}{% endfor %}",
		"{{ 'a' if messages[0].content is defined else raise_exception('x') }}{% raw %}", "{{", "{%", "{#", "{%- -%}{{ '}}' }}",
	} {
		f.Add(template, "Hi <|im_end|> <s>")
	}
	renderTime = 2 * time.Second
	f.Fuzz(func(t *testing.T, template, said string) {
		tok, err := tokenizer.WithSpecialTokens(tokenizer.NewByte(), "<s>", "<|im_start|>", "<|im_end|>")
		if err != nil {
			t.Fatal(err)
		}
		if tok, err = tokenizer.WithChatTemplate(tok, template); err != nil {
			return
		}
		got, err := TemplateOf(tok)
		if err != nil {
			if expect.OneLine(t, err); got.Name() != "plain" {
				t.Errorf("%q: the template is %s", template, got.Name())
			}
			return
		}
		ids, err := got.Render([]Message{{Role: instruct.User, Content: said}})
		if err != nil {
			expect.OneLine(t, err)
			return
		}
		end, _ := tokenizer.SpecialID(tok, "<|im_end|>")
		if !strings.Contains(template, "im_end") && slices.Contains(ids, end) {
			t.Errorf("%q of %q has the token <|im_end|>", template, said)
		}
	})
}
