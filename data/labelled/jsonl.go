package labelled

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSONL reads an object per line, or an array of objects; their keys are the
// columns' names, in the order of their first appearance.
func (t *Table) parseJSONL(text string) error {
	t.names = []string{}
	positions := map[string]int{}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return t.parseArray(text, positions)
	}
	for i, line := range lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := t.addObject(i+1, line, positions); err != nil {
			return t.errorf(i+1, "%s: expected a JSON object, like {\"text\": \"…\", \"label\": \"…\"}, on a line of its own", err)
		}
	}
	return nil
}

// parseArray reads an array of objects.
func (t *Table) parseArray(text string, positions map[string]int) error {
	dec := json.NewDecoder(strings.NewReader(text))
	line := func() int {
		rest := text[dec.InputOffset():]
		at := len(text) - len(strings.TrimLeft(rest, ", \t\r\n"))
		return 1 + strings.Count(text[:at], "\n")
	}
	_, err := dec.Token() // the bracket
	for err == nil && dec.More() {
		number := line()
		var row json.RawMessage
		if err = dec.Decode(&row); err == nil {
			if err := t.addObject(number, string(row), positions); err != nil {
				return t.errorf(number, "%s: expected a JSON object, like {\"text\": \"…\", \"label\": \"…\"}, in the array", err)
			}
		}
	}
	if err == nil {
		_, err = dec.Token() // the other bracket
	}
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("there is more after the array")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends in the middle of the array")
		}
		return t.errorf(line(), "%s: expected an array of JSON objects, or an object on each line", err)
	}
	return nil
}

// addObject adds the row that a JSON object is.
func (t *Table) addObject(line int, text string, positions map[string]int) error {
	row := Row{Line: line}
	if err := t.addFields(&row, "", text, positions); err != nil {
		return err
	}
	t.Rows = append(t.Rows, row)
	return nil
}

// addFields adds the cells of an object, whose keys have a prefix.
func (t *Table) addFields(row *Row, prefix, text string, positions map[string]int) error {
	return object(text, func(key string, value json.RawMessage) error {
		key = prefix + key
		c := cellOf(value)
		if c.kind == isOther && value[0] == '{' && strings.TrimSpace(string(value[1:len(value)-1])) != "" {
			return t.addFields(row, key+".", string(value), positions)
		}
		at, known := positions[key]
		if !known {
			at = len(t.names)
			positions[key] = at
			t.names = append(t.names, key)
		}
		for len(row.cells) <= at {
			row.cells = append(row.cells, cell{})
		}
		if row.cells[at].kind != isAbsent {
			return fmt.Errorf("the key %q is there twice", key)
		}
		row.cells[at] = c
		return nil
	})
}

// object calls field for each key of the JSON object in order.
func object(text string, field func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(strings.NewReader(text))
	open, err := dec.Token()
	if err != nil {
		return plain(err)
	}
	if open != json.Delim('{') {
		return errors.New("not an object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return plain(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return plain(err)
		}
		if err := field(key.(string), value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return plain(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is more after the object")
	}
	return nil
}

// plain says in a reader's words what encoding/json says in its own.
func plain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the line ends in the middle of the JSON")
	}
	return err
}
