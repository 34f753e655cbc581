package chat

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of one tag. Nothing that it computes is longer than mostNames and mostGrowth values
// together: what grows is measured before, see measured.
const (
	mostWords   = 1000 // of which each may take some of the stack
	mostNames   = 100  // identifiers
	mostNesting = 50   // brackets in brackets
	mostGrowth  = 256  // what filters and * can make of a text's length
)

// mostBlocks is how deep blocks may be in blocks.
const mostBlocks = 50

// word is a token of a tag's code.
type word struct {
	text    string
	literal bool // a string; text has its quotes
}

var codeWords = regexp.MustCompile(`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|\d[\w.]*|\S`)

// wordsOf divides a tag's code.
func wordsOf(code string) (list []word) {
	for _, text := range codeWords.FindAllString(code, -1) {
		list = append(list, word{text, len(text) > 1 && (text[0] == '\'' || text[0] == '"')})
	}
	return list
}

// bracket is an open one, and the colons in it, which make a slice.
type bracket struct {
	kind   string
	colons int
}

// isName reports whether w is an identifier or a keyword.
func (w word) isName() bool { return identifier.MatchString(w.text) }

// number is the value of a whole number that is written out; ok is false for other words.
func (w word) number() (n int, ok bool) {
	n, err := strconv.Atoi(w.text)
	return n, err == nil
}

// length is that of a string without its quotes.
func (w word) length() int { return len(w.text) - 2 }

var identifier = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// ends reports whether w ends an argument.
func ends(w word) bool { return w.text == ")" || w.text == "," }

// at is list[i]; beyond the end it is an empty word.
func at(list []word, i int) word {
	if i < 0 || i >= len(list) {
		return word{}
	}
	return list[i]
}

// blocks are those of Jinja that are understood.
var blocks = []string{"if", "elif", "else", "endif", "for", "endfor", "set", "endset", "macro", "endmacro", "break", "continue"}

// check refuses blocks that aren't understood, and holds each tag to checkTag.
func check(tags []tag) error {
	depth := 0
	for _, t := range tags {
		list := wordsOf(t.body)
		if t.kind == '%' && opensBlock(list) {
			depth++
		} else if t.kind == '%' && strings.HasPrefix(at(list, 0).text, "end") {
			depth--
		}
		if depth > mostBlocks {
			return fmt.Errorf("it has blocks nested deeper than %d", mostBlocks)
		}
		if block := at(list, 0).text; t.kind == '%' && !slices.Contains(blocks, block) {
			return fmt.Errorf("it has a block of the kind %q", block)
		}
		if err := checkTag(list); err != nil {
			return err
		}
	}
	return nil
}

// opensBlock reports whether a tag opens a block that another one ends.
func opensBlock(list []word) bool {
	block := at(list, 0).text
	return block == "for" || block == "macro" || block == "if" ||
		block == "set" && !slices.ContainsFunc(list, func(w word) bool { return w.text == "=" })
}

// checkTag refuses what the engine doesn't know or what would let a value grow without bounds:
// escapes in strings, methods that change lists and dictionaries (transformers refuses them
// too), and lengths that aren't written out.
func checkTag(list []word) error {
	names, growth := 0, 1
	grow := func(n int) { growth = min(growth*max(n, 1), mostGrowth+1) }
	indents := slices.ContainsFunc(list, func(w word) bool { return w.text == "indent" })
	var open []bracket
	for i, w := range list {
		before, next, second, third := at(list, i-1), at(list, i+1), at(list, i+2), at(list, i+3)
		called := next.text == "("
		switch {
		case w.literal:
			for _, e := range escaped.FindAllStringSubmatch(w.text, -1) {
				if !strings.Contains(`nt\'"`, e[1]) {
					return fmt.Errorf(`it has the escape \%s in a string`, e[1])
				}
			}
			continue
		case !strings.ContainsAny(w.text, "([{)]}.,:|~+-*/%=<>!") && !identifier.MatchString(w.text) && (w.text[0] < '0' || w.text[0] > '9'):
			return fmt.Errorf("it has the character %s in its code", w.text) // the engine may pass over it
		case strings.Contains("([{", w.text):
			if open = append(open, bracket{kind: w.text}); len(open) > mostNesting {
				return fmt.Errorf("it has brackets nested deeper than %d", mostNesting)
			}
		case strings.Contains(")]}", w.text):
			if n := len(open); n == 0 || !slices.Contains([]string{"()", "[]", "{}"}, open[n-1].kind+w.text) {
				return fmt.Errorf("it closes a bracket with %s that isn't open", w.text)
			}
			open = open[:len(open)-1]
		case strings.Contains("+-", w.text) && strings.Contains("+-", before.text) && strings.Contains("+-", at(list, i-2).text) && i > 1:
			return errors.New("it has three signs in a row")
		case w.text == "*":
			n, ok := next.number()
			if !ok {
				return errors.New("it multiplies by something else than a number that is written out")
			}
			grow(n)
		case w.text == ":" && len(open) > 0 && open[len(open)-1].kind == "[":
			b := &open[len(open)-1]
			if b.colons++; b.colons > 1 && strings.Join([]string{at(list, i-2).text, before.text, next.text, second.text, third.text}, "") != "[:-1]" {
				return errors.New("it has a slice with a step other than [::-1]")
			}
		case !w.isName():
		case strings.HasPrefix(w.text, ownPrefix):
			return fmt.Errorf("it uses the name %s, which is reserved", w.text)
		case before.text == "." && slices.Contains([]string{"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "format"}, w.text):
			return fmt.Errorf("it calls %s, which isn't allowed in a chat template", w.text)
		case slices.Contains([]string{"batch", "from_json", "fromjson", "recursive", "cycler"}, w.text) && before.text != ".":
			return fmt.Errorf("it uses %s, which isn't known here", w.text) // a cycler can come to hold itself
		case before.text == "." && !called && slices.Contains([]string{"split", "replace", "title", "capitalize"}, w.text):
			return fmt.Errorf("it uses the method %s without calling it", w.text)
		case w.text == "replace" && called:
			if !second.literal || third.text != "," || !at(list, i+4).literal || !ends(at(list, i+5)) {
				return errors.New("it replaces something else than texts that are written out")
			}
			from, to := second.length(), at(list, i+4).length()
			if from == 0 { // between all characters
				from, to = 1, to+1
			}
			grow((to + from - 1) / from)
		case w.text == "join" && called && second.text != ")":
			if !second.literal || third.text != ")" && (third.text != "," || at(list, i+4).text != "attribute") {
				return errors.New("it joins with something else than a text that is written out")
			}
			grow(second.length() + 1)
		case w.text == "indent" && before.text == "|", w.text == "indent" && next.text == "=", w.text == "width" && next.text == "=" && indents:
			n := 4
			if called || next.text == "=" {
				var ok bool
				if n, ok = second.number(); second.text == "width" && third.text == "=" {
					n, ok = 0, true // it comes as a word of its own
				} else if !ends(third) {
					ok = false
				}
				if !ok {
					return errors.New("it indents by something else than a number that is written out")
				}
			}
			grow(n + 1)
		case w.text == "separators" && next.text == "=":
			if list := list[min(i+2, len(list)):]; at(list, 0).text != "(" && at(list, 0).text != "[" || !at(list, 1).literal || at(list, 2).text != "," || !at(list, 3).literal || at(list, 4).text != ")" && at(list, 4).text != "]" {
				return errors.New("it separates by something else than texts that are written out")
			}
			grow(max(at(list, i+3).length(), at(list, i+5).length()) + 1)
		case before.text == "|" && slices.Contains([]string{"tojson", "escape", "e"}, w.text):
			grow(6)
		}
		if w.isName() {
			names++
		}
	}
	switch {
	case len(open) > 0:
		return fmt.Errorf("a bracket %s isn't closed", open[len(open)-1].kind)
	case names > mostNames:
		return fmt.Errorf("a tag has more than %d names", mostNames)
	case growth > mostGrowth:
		return fmt.Errorf("a tag may make a text more than %d times as long", mostGrowth)
	}
	return nil
}

var escaped = regexp.MustCompile(`\\(.)`)
