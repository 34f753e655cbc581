package terminal

import (
	"strings"
)

// Table is rows of cells that are written under one another, aligned by how wide a terminal
// shows them: a Chinese character takes two columns, an accent none.
type Table struct {
	// Right says of which columns the cells end under one another rather than begin.
	Right func(column int) bool

	rows [][]string
}

// Row adds a row. Rows may have different numbers of cells.
func (t *Table) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Text returns the lines of the rows that were added since the last call, with two spaces
// between columns and none at the end of a line.
func (t *Table) Text() string {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	var out strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			if t.Right != nil && t.Right(i) {
				line.WriteString(Pad(cell, -widths[i]))
			} else {
				line.WriteString(Pad(cell, widths[i]))
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.rows = nil
	return out.String()
}

// Pad puts spaces after a text, or if columns is negative before it, until it is that many
// columns wide.
func Pad(text string, columns int) string {
	spaces := strings.Repeat(" ", max(0, max(columns, -columns)-Columns(text)))
	if columns < 0 {
		return spaces + text
	}
	return text + spaces
}
