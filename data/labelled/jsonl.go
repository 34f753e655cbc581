package labelled

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSONL reads an object per line; its keys are the columns' names, in the order
// of their first appearance.
func (t *Table) parseJSONL(text string) error {
	t.names = []string{}
	positions := map[string]int{}
	for i, line := range lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		row := Row{Line: i + 1}
		err := object(line, func(key string, value json.RawMessage) error {
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
			row.cells[at] = cellOf(value)
			return nil
		})
		if err != nil {
			return t.errorf(row.Line, "%s: expected a JSON object, like {\"text\": \"…\", \"label\": \"…\"}, on a line of its own", err)
		}
		t.Rows = append(t.Rows, row)
	}
	return nil
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
