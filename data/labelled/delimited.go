package labelled

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// parseTSV divides lines at tabs. Lines with nothing but white space are passed over.
func (t *Table) parseTSV(text string) error {
	for i, line := range lines(text) {
		if strings.TrimSpace(line) != "" {
			if strings.Count(line, "\t") >= mostColumns {
				return t.errorf(i+1, "more than %d columns: not a table of examples", mostColumns)
			}
			t.Rows = append(t.Rows, Row{Line: i + 1, cells: texts(strings.Split(line, "\t"))})
		}
	}
	return nil
}

// parseCSV leaves the work to the standard library.
func (t *Table) parseCSV(text string) error {
	separator, before := separatorOf(text), 0 // lines before the table
	if first, rest, _ := strings.Cut(text, "\n"); separatorLine.MatchString(first) {
		separator, _ = utf8.DecodeRuneInString(strings.Trim(first, "\"")[len("sep="):])
		text, before = rest, 1
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = separator, -1
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			where := fmt.Sprintf("column %d", wrong.Column)
			if wrong.Line != wrong.StartLine {
				where = fmt.Sprintf("the row that begins here, up to line %d", wrong.Line+before)
			}
			return t.errorf(wrong.StartLine+before, "%s: %s: in CSV a text with quotation marks is quoted as a whole, and the marks in it doubled; for texts without that, name the file .tsv or set its format to tsv", where, wrong.Err)
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		if len(fields) > mostColumns {
			return t.errorf(line+before, "more than %d columns: not a table of examples", mostColumns)
		}
		t.Rows = append(t.Rows, Row{Line: line + before, cells: texts(fields)})
	}
}

// separatorLine is what spreadsheets write before a table to say what divides its fields.
var separatorLine = regexp.MustCompile(`^"?(?i:sep)=[^"\pL\pN\r\n\x{FFFD}]"?\r?$`)

// separatorOf is what divides the fields of the first line: a comma, or where there is
// none a semicolon, as spreadsheets write where a comma is within numbers.
func separatorOf(text string) rune {
	found, quoted := ',', false
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n' || c == ',':
			if c == ',' {
				found = ','
			}
			return found
		case c == ';':
			found = ';'
		}
	}
	return found
}

// lines divides a text; what follows the last line break is a line if it isn't empty.
func lines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
