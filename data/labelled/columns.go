package labelled

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tinygpt/data"
	"tinygpt/internal/number"
	"tinygpt/internal/suggest"
)

// Kind is what an example consists of.
type Kind int

const (
	Single Kind = iota // a text
	Pair               // two texts
	Choice             // a text, and what may follow it
	Tagged             // tokens, each with a tag
)

// Columns says where in a row an example is. A column is named as in the header (or
// JSON), or by its position, from 1; "2-4" is a range of positions and "2-" one up to
// the last. The texts of several columns are joined by a space.
type Columns struct {
	Text    []string `yaml:"text,omitempty"`    // of Tagged: the tokens
	Second  []string `yaml:"second,omitempty"`  // of Pair
	Choices []string `yaml:"choices,omitempty"` // columns of a text each, or one of a list
	Label   string   `yaml:"label,omitempty"`   // of Tagged: the tags
	// Header says whether the first row of a table has names: "yes", "no", or "" for
	// what the table looks like.
	Header string `yaml:"header,omitempty"`
}

// Example is a row with its parts.
type Example struct {
	File string
	Line int
	// Texts are one, or two of Pair; of Tagged none.
	Texts   []string
	Choices []string
	Tokens  []string
	// ChoiceNames are what the file calls the choices, as in ARC's A, B, C; nil if it
	// doesn't name them.
	ChoiceNames []string
	// Label is as it is spelt in the file, without white space around; "" if none was
	// asked for. Of Tagged there are Tags instead, one for each token.
	Label string
	Tags  []string
	// LabelType tells a JSON number from a JSON string; a table's cells are neither.
	LabelType LabelType
}

// Errorf is an error about the example, with its place.
func (e Example) Errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", e.File, e.Line, fmt.Sprintf(format, args...))
}

// LabelType is what a label is in the file.
type LabelType int

const (
	Untyped    LabelType = iota // in a table, where a cell has no type
	JSONString                  // a text between quotation marks
	JSONNumber                  // a number
)

// resolved are the positions of columns.
type resolved struct {
	text, second, choices []int
	label                 int
}

// ReadExamples reads the examples of a kind from a file, in the columns that Guess finds; an
// empty format is found by the file's name.
func ReadExamples(path string, format Format, kind Kind, o data.Options) ([]Example, error) {
	t, err := Read(path, format, o)
	if err != nil {
		return nil, err
	}
	columns, err := t.Guess(kind, Columns{}, true)
	if err != nil {
		return nil, err
	}
	return t.Examples(kind, columns, true)
}

// Examples returns the examples of the table. Without withLabel they are still to be
// labelled: a column of labels isn't needed, and not read.
func (t *Table) Examples(kind Kind, c Columns, withLabel bool) ([]Example, error) {
	at, err := t.resolve(kind, c, withLabel)
	if err != nil {
		return nil, err
	}
	var out []Example
	for _, row := range t.Rows {
		e := Example{File: t.Name, Line: row.Line}
		if kind == Tagged {
			err = t.tagged(&e, row, at, withLabel)
		} else {
			err = t.plain(&e, row, kind, at, withLabel)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, t.noRows()
	}
	return out, nil
}

// plain fills an example of texts.
func (t *Table) plain(e *Example, row Row, kind Kind, at resolved, withLabel bool) error {
	columns := [][]int{at.text}
	if kind == Pair {
		columns = append(columns, at.second)
	}
	for _, list := range columns {
		text, err := t.join(row, list)
		if err != nil {
			return err
		}
		e.Texts = append(e.Texts, text)
	}
	if kind == Choice {
		if err := t.choices(e, row, at.choices); err != nil {
			return err
		}
	}
	if !withLabel {
		return nil
	}
	label, err := t.text(row, at.label)
	if err != nil {
		return err
	}
	if t.Format == JSONL {
		if e.LabelType = JSONString; row.cell(at.label).number {
			e.LabelType = JSONNumber
		}
	}
	if e.Label = strings.TrimSpace(label); e.Label == "" {
		return t.errorf(row.Line, "the label (column %s) is empty", t.describe(at.label))
	}
	return nil
}

// join puts the texts of columns together; nothing but white space is an error.
func (t *Table) join(row Row, columns []int) (string, error) {
	var parts []string
	for _, i := range columns {
		text, err := t.text(row, i)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(text) != "" {
			parts = append(parts, strings.TrimSpace(text))
		}
	}
	if len(parts) == 0 {
		return "", t.errorf(row.Line, "the text (column %s) is empty: remove the row, or name another column", t.describe(columns...))
	}
	return strings.Join(parts, " "), nil
}

// text is the value of a column that must be there.
func (t *Table) text(row Row, column int) (string, error) {
	switch c := row.cell(column); c.kind {
	case isText:
		return c.text, nil
	case isAbsent:
		if t.Format == JSONL {
			return "", t.errorf(row.Line, "no key %q, expected as in the other lines", t.names[column])
		}
		return "", t.errorf(row.Line, "%s, expected at least %d: column %s is needed", number.Of(len(row.cells), "column"), column+1, t.describe(column))
	}
	return "", t.errorf(row.Line, "%q is a list or an object, expected a text", t.names[column])
}

// choices takes the texts of several columns, or the list that one has. Absent and
// empty ones at the end don't count.
func (t *Table) choices(e *Example, row Row, columns []int) error {
	if len(columns) == 1 && row.cell(columns[0]).kind == isList {
		e.Choices, e.ChoiceNames = slices.Clone(row.cell(columns[0]).list), row.cell(columns[0]).names
	} else {
		for _, i := range columns {
			text := ""
			if row.cell(i).kind != isAbsent {
				var err error
				if text, err = t.text(row, i); err != nil {
					return err
				}
			}
			e.Choices = append(e.Choices, text)
		}
		for len(e.Choices) > 0 && strings.TrimSpace(e.Choices[len(e.Choices)-1]) == "" {
			e.Choices = e.Choices[:len(e.Choices)-1]
		}
	}
	for i := range e.Choices {
		e.Choices[i] = strings.TrimSpace(e.Choices[i])
		if e.Choices[i] == "" {
			return t.errorf(row.Line, "choice %d is empty", i+1)
		}
	}
	if len(e.Choices) < 2 {
		return t.errorf(row.Line, "%s (column %s), expected two or more", number.Of(len(e.Choices), "choice"), t.describe(columns...))
	}
	return nil
}

// tagged fills an example of tokens.
func (t *Table) tagged(e *Example, row Row, at resolved, withLabel bool) error {
	tokens := row.cell(at.text[0])
	if tokens.kind != isList || len(tokens.list) == 0 {
		return t.errorf(row.Line, "column %s isn't a list of tokens", t.describe(at.text[0]))
	}
	for i, token := range tokens.list {
		if strings.TrimSpace(token) == "" {
			return t.errorf(row.Line, "token %d is empty", i+1)
		}
	}
	e.Tokens = tokens.list
	if !withLabel {
		return nil
	}
	tags := row.cell(at.label)
	if tags.kind != isList {
		return t.errorf(row.Line, "no tags: expected a list in column %s, with a tag for each token", t.describe(at.label))
	}
	if len(tags.list) != len(tokens.list) {
		return t.errorf(row.Line, "%s for %s, expected as many", number.Of(len(tags.list), "tag"), number.Of(len(tokens.list), "token"))
	}
	e.Tags = tags.list
	return nil
}

// resolve finds the positions.
func (t *Table) resolve(kind Kind, c Columns, withLabel bool) (at resolved, err error) {
	t.setHeader(c.Header == "yes")
	find := func(what string, selectors []string) (positions []int) {
		for _, s := range selectors {
			list, e := t.find(s)
			if e != nil && err == nil {
				err = fmt.Errorf("%s: the %s: %w", t.Name, what, e)
			}
			positions = append(positions, list...)
		}
		if len(positions) == 0 && err == nil {
			err = fmt.Errorf("%s: no column is named for the %s; %s", t.Name, what, t.listColumns())
		}
		return positions
	}
	at.text = find("text", c.Text)
	if kind == Pair {
		at.second = find("second text", c.Second)
	}
	if kind == Choice {
		at.choices = find("choices", c.Choices)
	}
	if withLabel {
		label := find("label", []string{c.Label})
		if len(label) > 1 && err == nil {
			err = fmt.Errorf("%s: the label is in columns %q, expected one column", t.Name, c.Label)
		}
		if err == nil {
			at.label = label[0]
		}
	}
	return at, err
}

// find returns the positions that a selector names.
func (t *Table) find(selector string) ([]int, error) {
	if i := t.column(selector); i >= 0 {
		return []int{i}, nil
	}
	from, to, isRange := strings.Cut(selector, "-")
	first, err := strconv.Atoi(strings.TrimSpace(from))
	last, width := first, t.width()
	if err == nil && isRange {
		last = width
		if to = strings.TrimSpace(to); to != "" {
			last, err = strconv.Atoi(to)
		}
	}
	if err != nil || t.Format == JSONL {
		hint := suggest.DidYouMean(selector, t.names...)
		if hint == "" && t.Named() && (t.Format == TSV || t.Format == CSV) {
			hint = ". If these aren't names but an example, say --header no, and name columns by their numbers"
		}
		return nil, fmt.Errorf("no column %q; %s%s", selector, t.listColumns(), hint)
	}
	if first < 1 || last < first || last > width {
		return nil, fmt.Errorf("column %q, but there are columns 1 to %d", selector, width)
	}
	var out []int
	for i := first; i <= last; i++ {
		out = append(out, i-1)
	}
	return out, nil
}

// describe names columns for messages: "2", or "2, sentence".
func (t *Table) describe(columns ...int) string {
	var out []string
	for _, i := range columns {
		switch {
		case t.Format == JSONL || t.Format == CoNLL:
			out = append(out, strconv.Quote(t.names[i]))
		case t.Named() && i < len(t.names):
			out = append(out, fmt.Sprintf("%d, %q", i+1, t.names[i]))
		default:
			out = append(out, strconv.Itoa(i+1))
		}
	}
	return strings.Join(out, "; ")
}

// listColumns shows the columns that there are, with what the first row has in them.
func (t *Table) listColumns() string {
	const most = 50
	var out []string
	if t.Named() {
		for _, n := range t.names[:min(most, len(t.names))] {
			out = append(out, strconv.Quote(n))
		}
		return "it has " + strings.Join(out, ", ") + more(len(t.names)-most)
	}
	first := t.Rows[0].cells
	for i, c := range first[:min(most, len(first))] {
		out = append(out, fmt.Sprintf("%d (%s)", i+1, short(c.text)))
	}
	return "it has the columns " + strings.Join(out, ", ") + more(len(first)-most)
}

// more says that there are n more.
func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// short is the beginning of a text, quoted.
func short(s string) string {
	const length = 24
	if r := []rune(s); len(r) > length {
		s = string(r[:length]) + "…"
	}
	return strconv.Quote(s)
}
