// Package labelled reads examples with labels from files of other people's making:
// tables with tabs or commas, JSON lines, and sentences with a tag on every token,
// gzipped or not. It finds the columns, by name or position, and the list of classes.
//
// Every error names the file and the line. It knows nothing of tokens and models.
package labelled

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tinygpt/data"
	"tinygpt/internal/number"
	"tinygpt/internal/suggest"
)

// Format is how a file's rows are written.
type Format string

const (
	// TSV has a row per line and tabs between the columns. Quotation marks are text.
	TSV Format = "tsv"
	// CSV is RFC 4180's: commas, and quotation marks around what holds commas or line
	// breaks.
	CSV Format = "csv"
	// JSONL has an object per line, or all of them in one array. Keys of an object
	// within an object are joined by a dot: question.stem.
	JSONL Format = "jsonl"
	// CoNLL has a token per line, with its tag in the last column, and an empty line
	// between sentences (Tjong Kim Sang and De Meulder 2003).
	CoNLL Format = "conll"
)

// Formats lists all of them.
var Formats = []Format{TSV, CSV, JSONL, CoNLL}

// Table is what a file holds.
type Table struct {
	Name   string // of the file
	Format Format
	Rows   []Row
	// names are the columns' names in order: those of JSON objects, and of the first
	// row once it was taken for a header.
	names []string
}

// Row is an example as a file has it.
type Row struct {
	Line  int
	cells []cell
	// columns are those that the cells of a JSON object are in, ascending; nil: one after another.
	columns []int
}

// mostColumns is more than a table for people has.
const mostColumns = 10_000

// cell is a value: a text or a list of texts. A row of JSON lines that lacks a key
// has an absent cell.
type cell struct {
	text   string
	number bool // the text is a JSON number
	list   []string
	names  []string // of the list's texts, where they have any, as in ARC's choices
	kind   cellKind
}

type cellKind int

const (
	isAbsent cellKind = iota
	isText
	isList
	isOther // JSON that is neither
)

// Read reads a file, or with "-" standard input. An empty format means the one that
// the name's ending says, and for other endings TSV.
func Read(file string, format Format, o data.Options) (*Table, error) {
	text, err := data.ReadText(file, o)
	if err != nil {
		return nil, err
	}
	name := file
	if file == "-" {
		name = "standard input"
	}
	if format == "" {
		format = formatOf(file, text)
	}
	return Parse(name, text, format)
}

// formatOf is the format that a file's name says or, if that says none, its beginning.
func formatOf(file, text string) Format {
	switch ext := filepath.Ext(strings.TrimSuffix(strings.ToLower(file), ".gz")); ext {
	case ".tsv", ".tab":
		return TSV
	case ".csv":
		return CSV
	case ".jsonl", ".json", ".ndjson":
		return JSONL
	case ".conll", ".bio", ".iob", ".iob2":
		return CoNLL
	}
	if begin := strings.TrimSpace(text[:min(len(text), 100)]); strings.HasPrefix(begin, `{"`) || strings.HasPrefix(begin, "[") && strings.HasPrefix(strings.TrimSpace(begin[1:]), `{"`) {
		return JSONL
	}
	return TSV
}

// Parse reads the text of a file of that name.
func Parse(name, text string, format Format) (*Table, error) {
	t := &Table{Name: name, Format: format}
	parse := map[Format]func(text string) error{TSV: t.parseTSV, CSV: t.parseCSV, JSONL: t.parseJSONL, CoNLL: t.parseCoNLL}[format]
	if parse == nil {
		return nil, fmt.Errorf("format %q: %s", format, suggest.Expected(format, Formats...))
	}
	if err := parse(text); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("%s: no rows in it", name)
	}
	return t, nil
}

// errorf is an error about a line of the file.
func (t *Table) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", t.Name, line, fmt.Sprintf(format, args...))
}

// setHeader takes the first row for the columns' names, or not.
func (t *Table) setHeader(is bool) {
	if !is || t.Named() || len(t.Rows) == 0 {
		return
	}
	for _, c := range t.Rows[0].cells {
		t.names = append(t.names, strings.TrimSpace(c.text))
	}
	t.Rows = t.Rows[1:]
}

// Named says whether the columns have names.
func (t *Table) Named() bool { return t.names != nil }

// Names lists the names of the columns.
func (t *Table) Names() string { return strings.Join(t.names, ", ") }

// Describe says in one line what each column was taken for.
func (t *Table) Describe(kind Kind, c Columns, withLabel bool) string {
	header := "no header"
	switch {
	case t.Format == JSONL || t.Format == CoNLL:
		header = string(t.Format)
	case t.Named():
		header = "with a header"
	}
	out := fmt.Sprintf("%s: %s, %s", t.Name, number.Of(len(t.Rows), "row"), header)
	what := "text"
	if kind == Tagged {
		what = "tokens"
	}
	for _, part := range []struct {
		what    string
		columns []string
	}{{what, c.Text}, {"second text", c.Second}, {"choices", c.Choices}, {"label", []string{c.Label}}} {
		if len(part.columns) > 0 && part.columns[0] != "" && (part.what != "label" || withLabel) {
			out += fmt.Sprintf("; %s: %s", part.what, strings.Join(part.columns, " + "))
		}
	}
	return out
}

// column is the position of the column with that name, or -1. If the name differs from
// just one column's by capitals only, it is that column.
func (t *Table) column(name string) int {
	if i := slices.Index(t.names, name); i >= 0 {
		return i
	}
	found := -1
	for i, n := range t.names {
		switch {
		case strings.EqualFold(n, name) && found >= 0:
			return -1
		case strings.EqualFold(n, name):
			found = i
		}
	}
	return found
}

// width is the number of columns.
func (t *Table) width() int {
	if t.Named() {
		return len(t.names)
	}
	w := 0
	for _, r := range t.Rows {
		w = max(w, len(r.cells))
	}
	return w
}

// cell returns a value of the row; absent if the row ends before it.
func (r Row) cell(i int) cell {
	if r.columns != nil {
		var found bool
		if i, found = slices.BinarySearch(r.columns, i); !found {
			return cell{}
		}
	}
	if i < len(r.cells) {
		return r.cells[i]
	}
	return cell{}
}

func texts(fields []string) []cell {
	cells := make([]cell, len(fields))
	for i, f := range fields {
		cells[i] = cell{text: f, kind: isText}
	}
	return cells
}

// cellOf reads a JSON value.
func cellOf(raw json.RawMessage) cell {
	var text string
	var list []json.RawMessage
	switch raw[0] {
	case '"':
		if json.Unmarshal(raw, &text) == nil {
			return cell{text: text, kind: isText}
		}
	case '[':
		if json.Unmarshal(raw, &list) == nil {
			if c, ok := namedList(list); ok {
				return c
			}
			c := cell{kind: isList, list: make([]string, len(list))}
			for i, v := range list {
				if v[0] == '[' || v[0] == '{' { // each level would be read once more
					return cell{kind: isOther}
				}
				element := cellOf(v)
				if element.kind != isText {
					return cell{kind: isOther}
				}
				c.list[i] = element.text
			}
			return c
		}
	case 'n':
		return cell{}
	case '{':
		var c struct{ Text, Label []string }
		if json.Unmarshal(raw, &c) == nil && len(c.Text) > 0 && len(c.Text) == len(c.Label) {
			return cell{kind: isList, list: c.Text, names: c.Label}
		}
	default: // as it is spelt
		return cell{text: string(raw), number: raw[0] != 't' && raw[0] != 'f', kind: isText}
	}
	return cell{kind: isOther}
}

// namedList reads a list of choices as ARC (Clark et al. 2018) has it: objects of a
// text and a label each.
func namedList(list []json.RawMessage) (c cell, ok bool) {
	c.kind = isList
	for _, v := range list {
		var choice struct{ Text, Label string }
		if v[0] != '{' || json.Unmarshal(v, &choice) != nil || choice.Text == "" || choice.Label == "" {
			return c, false
		}
		c.list, c.names = append(c.list, choice.Text), append(c.names, choice.Label)
	}
	return c, len(list) > 0
}
