package chat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// maxSource is the length up to which a template in Jinja is read, in bytes.
const maxSource = 64 << 10

// prepare rewrites a template in Jinja for the engine: the white space around its tags is cut
// as transformers has it cut (trim_blocks and lstrip_blocks of Jinja 3.1), which the engine
// gets wrong where two tags touch, and text becomes expressions, in which the engine cuts
// nothing. What is written or kept passes through limits; see there. What the engine would read
// otherwise than Jinja, or never end with, is an error.
func prepare(source string) (string, error) {
	if len(source) > maxSource {
		return "", fmt.Errorf("it has %d bytes: expected up to %d", len(source), maxSource)
	}
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	source = strings.TrimSuffix(source, "\n")
	var out strings.Builder
	var tags []tag
	last := tag{lineBegins: true}
	for rest := source; ; {
		at := len(rest)
		if begin := tagBegin.FindStringIndex(rest); begin != nil {
			at = begin[0]
		}
		if at == len(rest) {
			write(&out, last.after(rest))
			break
		}
		t, length, err := readTag(rest[at:])
		if err != nil {
			return "", err
		}
		write(&out, t.before(last.after(rest[:at]), last.lineBegins))
		rest = rest[at+length:]
		switch word := firstWord(t.body); {
		case t.kind == '#', word == "generation", word == "endgeneration": // comments, and transformers' marks around answers, write nothing
		case word == "raw" && t.kind == '%':
			return "", errors.New("it has a raw block")
		default:
			limited, err := t.limited()
			if err != nil {
				return "", err
			}
			out.WriteString(limited)
			tags = append(tags, t)
		}
		t.lineBegins = t.endsLine(rest)
		last = t
	}
	return out.String(), check(tags)
}

// tagBegin matches the beginning of a tag.
var tagBegin = regexp.MustCompile(`\{[{%#]`)

// tag is {{ body }}, {% body %} or {# body #}.
type tag struct {
	kind       byte // the second character
	left       byte // '-' or '+' after it, or 0
	right      byte // the same before its end
	body       string
	lineBegins bool // what follows is at the beginning of a line
}

// readTag reads the tag at the beginning of text, and returns its length in bytes. What looks
// like its end inside a string isn't its end.
func readTag(text string) (t tag, length int, err error) {
	t.kind = text[1]
	end := string(t.kind) + "}"
	if t.kind == '{' {
		end = "}}"
	}
	quote, stop := byte(0), -1
	for i := 2; i < len(text) && stop < 0; i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case t.kind != '#' && (c == '\'' || c == '"'):
			quote = c
		case strings.HasPrefix(text[i:], end):
			stop = i
		}
	}
	if stop < 0 {
		return t, 0, fmt.Errorf("a tag doesn't end: %.40q", text)
	}
	body := text[2:stop]
	if body != "" && (body[0] == '-' || body[0] == '+' && t.kind != '{') {
		t.left, body = body[0], body[1:]
	}
	if n := len(body); n > 0 && (body[n-1] == '-' || body[n-1] == '+' && t.kind != '{') {
		t.right, body = body[n-1], body[:n-1]
	}
	t.body = strings.TrimSpace(body)
	return t, stop + 2, nil
}

// after returns the text after a tag without the white space that the tag cuts.
func (t tag) after(text string) string {
	switch {
	case t.right == '-':
		return strings.TrimLeftFunc(text, unicode.IsSpace)
	case t.right == 0 && (t.kind == '%' || t.kind == '#'):
		return strings.TrimPrefix(text, "\n")
	}
	return text
}

// endsLine reports whether the white space that a tag cuts from the text after it ends with the
// end of a line.
func (t tag) endsLine(text string) bool {
	return strings.HasSuffix(text[:len(text)-len(t.after(text))], "\n")
}

// before returns the text before a tag without the white space that the tag cuts. lineBegins
// says whether the text begins a line.
func (t tag) before(text string, lineBegins bool) string {
	if t.left == '-' {
		return strings.TrimRightFunc(text, unicode.IsSpace)
	}
	line := strings.LastIndexByte(text, '\n') + 1
	if t.left == 0 && t.kind != '{' && (line > 0 || lineBegins) && strings.TrimSpace(text[line:]) == "" {
		return text[:line]
	}
	return text
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`)

// write writes text as an expression.
func write(out *strings.Builder, text string) {
	if text != "" {
		out.WriteString("{{ " + writtenName + `("` + escapes.Replace(text) + `") }}`)
	}
}

// firstWord returns the word that body begins with, which names a block's kind.
func firstWord(body string) string { return at(wordsOf(body), 0).text }
