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
	c := tagCheck{list: list, growth: 1}
	names := 0
	for i, w := range list {
		var err error
		switch {
		case w.literal:
			err = checkEscapes(w.text)
		case w.isName():
			names++
			err = c.name(i)
		default:
			err = c.sign(i)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case len(c.open) > 0:
		return fmt.Errorf("a bracket %s isn't closed", c.open[len(c.open)-1].kind)
	case names > mostNames:
		return fmt.Errorf("a tag has more than %d names", mostNames)
	case c.growth > mostGrowth:
		return fmt.Errorf("a tag may make a text more than %d times as long", mostGrowth)
	}
	return nil
}

var escaped = regexp.MustCompile(`\\(.)`)

// checkEscapes refuses escapes of a string that the engine doesn't know.
func checkEscapes(text string) error {
	for _, e := range escaped.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(`nt\'"`, e[1]) {
			return fmt.Errorf(`it has the escape \%s in a string`, e[1])
		}
	}
	return nil
}

// tagCheck is what checkTag knows of a tag on its way through the words.
type tagCheck struct {
	list   []word
	open   []bracket // that aren't closed yet
	growth int       // how many times as long the tag may make a text, up to mostGrowth+1
}

// grow notes that a text may become n times as long.
func (c *tagCheck) grow(n int) { c.growth = min(c.growth*max(n, 1), mostGrowth+1) }

// sign checks word i, which is no name and no string.
func (c *tagCheck) sign(i int) error {
	w, before, next := c.list[i], at(c.list, i-1), at(c.list, i+1)
	switch {
	case !strings.ContainsAny(w.text, "([{)]}.,:|~+-*/%=<>!") && (w.text[0] < '0' || w.text[0] > '9'):
		return fmt.Errorf("it has the character %s in its code", w.text) // the engine may pass over it
	case strings.Contains("([{", w.text):
		if c.open = append(c.open, bracket{kind: w.text}); len(c.open) > mostNesting {
			return fmt.Errorf("it has brackets nested deeper than %d", mostNesting)
		}
	case strings.Contains(")]}", w.text):
		n := len(c.open)
		if n == 0 || !slices.Contains([]string{"()", "[]", "{}"}, c.open[n-1].kind+w.text) {
			return fmt.Errorf("it closes a bracket with %s that isn't open", w.text)
		}
		c.open = c.open[:n-1]
	case strings.Contains("+-", w.text) && strings.Contains("+-", before.text) && strings.Contains("+-", at(c.list, i-2).text) && i > 1:
		return errors.New("it has three signs in a row")
	case w.text == "*":
		n, ok := next.number()
		if !ok {
			return errors.New("it multiplies by something else than a number that is written out")
		}
		c.grow(n)
	case w.text == ":" && len(c.open) > 0 && c.open[len(c.open)-1].kind == "[":
		b := &c.open[len(c.open)-1]
		b.colons++
		if b.colons > 1 && !slices.Equal(texts(c.list, i-2, i+4), []string{"[", ":", ":", "-", "1", "]"}) {
			return errors.New("it has a slice with a step other than [::-1]")
		}
	}
	return nil
}

// name checks word i, which is a name.
func (c *tagCheck) name(i int) error {
	text, isMethod := c.list[i].text, at(c.list, i-1).text == "."
	switch {
	case strings.HasPrefix(text, ownPrefix):
		return fmt.Errorf("it uses the name %s, which is reserved", text)
	case isMethod && slices.Contains([]string{"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "format"}, text):
		return fmt.Errorf("it calls %s, which isn't allowed in a chat template", text)
	case !isMethod && slices.Contains([]string{"batch", "from_json", "fromjson", "recursive", "cycler"}, text):
		return fmt.Errorf("it uses %s, which isn't known here", text) // a cycler can come to hold itself
	case isMethod && at(c.list, i+1).text != "(" && slices.Contains([]string{"split", "replace", "title", "capitalize"}, text):
		return fmt.Errorf("it uses the method %s without calling it", text)
	}
	return c.growthBy(i)
}

// growthBy notes how many times as long word i may make a text, if it is a filter, method or
// argument that can. What that depends on has to be written out.
func (c *tagCheck) growthBy(i int) error {
	next, second, third, fourth := at(c.list, i+1), at(c.list, i+2), at(c.list, i+3), at(c.list, i+4)
	called, assigned, isFilter := next.text == "(", next.text == "=", at(c.list, i-1).text == "|"
	switch c.list[i].text {
	case "replace":
		if !called {
			return nil
		}
		if !second.literal || third.text != "," || !fourth.literal || !ends(at(c.list, i+5)) {
			return errors.New("it replaces something else than texts that are written out")
		}
		from, to := second.length(), fourth.length()
		if from == 0 { // between all characters
			from, to = 1, to+1
		}
		c.grow((to + from - 1) / from)
	case "join":
		if !called || second.text == ")" {
			return nil
		}
		if !second.literal || third.text != ")" && (third.text != "," || fourth.text != "attribute") {
			return errors.New("it joins with something else than a text that is written out")
		}
		c.grow(second.length() + 1)
	case "indent":
		if isFilter || assigned {
			return c.indent(i)
		}
	case "width":
		if assigned && slices.ContainsFunc(c.list, func(w word) bool { return w.text == "indent" }) {
			return c.indent(i)
		}
	case "separators":
		if !assigned {
			return nil
		}
		fifth := at(c.list, i+5)
		if second.text != "(" && second.text != "[" || !third.literal || fourth.text != "," || !fifth.literal || at(c.list, i+6).text != ")" && at(c.list, i+6).text != "]" {
			return errors.New("it separates by something else than texts that are written out")
		}
		c.grow(max(third.length(), fifth.length()) + 1)
	case "tojson", "escape", "e":
		if isFilter {
			c.grow(6)
		}
	}
	return nil
}

// indent notes the growth by word i, the filter indent or the argument that says by how much.
func (c *tagCheck) indent(i int) error {
	n, ok := 4, true
	if next := at(c.list, i+1).text; next == "(" || next == "=" {
		second, third := at(c.list, i+2), at(c.list, i+3)
		if n, ok = second.number(); second.text == "width" && third.text == "=" {
			n, ok = 0, true // it comes as a word of its own
		} else if !ends(third) {
			ok = false
		}
	}
	if !ok {
		return errors.New("it indents by something else than a number that is written out")
	}
	c.grow(n + 1)
	return nil
}

// texts are those of words from to to-1; beyond the ends they are empty.
func texts(list []word, from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, at(list, i).text)
	}
	return all
}
