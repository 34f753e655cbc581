package labelled

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// parseJSONL reads an object per line, or an array of objects; their keys are the
// columns' names, in the order of their first appearance.
func (t *Table) parseJSONL(text string) error {
	t.names = []string{}
	k := &keys{table: t, positions: map[string]int{}}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return t.parseArray(text, k)
	}
	for i, line := range lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := k.addObject(i+1, line); err != nil {
			return t.errorf(i+1, "%s: expected a JSON object, like {\"text\": \"…\", \"label\": \"…\"}, on a line of its own", err)
		}
	}
	return nil
}

// parseArray reads an array of objects.
func (t *Table) parseArray(text string, k *keys) error {
	dec := json.NewDecoder(strings.NewReader(text))
	number, counted := 1, 0 // the line of that offset
	line := func() int {
		rest := text[dec.InputOffset():]
		at := len(text) - len(strings.TrimLeft(rest, ", \t\r\n"))
		number += strings.Count(text[counted:at], "\n")
		counted = at
		return number
	}
	_, err := dec.Token() // the bracket
	for err == nil && dec.More() {
		number := line()
		var row json.RawMessage
		if err = dec.Decode(&row); err == nil {
			if err := k.addObject(number, string(row)); err != nil {
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

// keys are those of the objects of a table.
type keys struct {
	table     *Table
	positions map[string]int // of a key's column
	last      []int          // by column: which row had the key last, from 1
}

// deepest is how deep objects may be in objects: each level is read once more.
const deepest = 100

// addObject adds the row that a JSON object is.
func (k *keys) addObject(line int, text string) error {
	row := Row{Line: line, columns: []int{}}
	if err := k.addFields(&row, "", text, 0); err != nil {
		return err
	}
	if !slices.IsSorted(row.columns) {
		sort.Sort(byColumn(row))
	}
	k.table.Rows = append(k.table.Rows, row)
	return nil
}

// byColumn sorts the cells of a row, whose keys may come in any order.
type byColumn Row

// Len is the number of cells.
func (r byColumn) Len() int { return len(r.columns) }

// Less compares columns.
func (r byColumn) Less(i, j int) bool { return r.columns[i] < r.columns[j] }

// Swap moves each column with its cell.
func (r byColumn) Swap(i, j int) {
	r.columns[i], r.columns[j] = r.columns[j], r.columns[i]
	r.cells[i], r.cells[j] = r.cells[j], r.cells[i]
}

// addFields adds the cells of an object, whose keys have a prefix. Of a row only those cells take
// memory that it has: each may have keys of its own.
func (k *keys) addFields(row *Row, prefix, text string, depth int) error {
	if depth > deepest {
		return fmt.Errorf("objects are nested deeper than %d", deepest)
	}
	t := k.table
	return object(text, func(key string, value json.RawMessage) error {
		key = prefix + key
		c := cellOf(value)
		if c.kind == isOther && value[0] == '{' && strings.TrimSpace(string(value[1:len(value)-1])) != "" {
			return k.addFields(row, key+".", string(value), depth+1)
		}
		at, known := k.positions[key]
		if !known {
			at = len(t.names)
			if at == mostColumns {
				return fmt.Errorf("there are more than %d different keys", mostColumns)
			}
			k.positions[key] = at
			t.names, k.last = append(t.names, key), append(k.last, 0)
		}
		if c.kind == isAbsent {
			return nil
		}
		if k.last[at] == len(t.Rows)+1 {
			return fmt.Errorf("the key %q is there twice", key)
		}
		k.last[at] = len(t.Rows) + 1
		row.cells, row.columns = append(row.cells, c), append(row.columns, at)
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
