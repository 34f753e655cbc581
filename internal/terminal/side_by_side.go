package terminal

import "strings"

// pageWidth is how wide a table is at most that goes to a terminal or into a text.
const pageWidth = 80

// SideBySide writes things next to one another with a line for each of their properties.
// The first cell of a row says which, the others are the things', of which as many come
// into a block as there is room for on a terminal of that many columns (0: on a page of 80). A
// row without a cell for any of them is a heading.
func SideBySide(rows [][]string, columns int) string {
	if columns <= 0 || columns > pageWidth {
		columns = pageWidth
	}
	label, width, things := 0, 0, 0
	for _, row := range rows {
		things = max(things, len(row)-1)
		if len(row) > 1 {
			label = max(label, Columns(row[0]))
		}
		for _, cell := range row[1:] {
			width = max(width, Columns(cell))
		}
	}
	inBlock := max(1, (columns-label)/(width+2))
	var out strings.Builder
	for from := 0; from < things; from += inBlock {
		if from > 0 {
			out.WriteByte('\n')
		}
		for _, row := range rows {
			if len(row) == 1 {
				out.WriteString(row[0] + "\n")
				continue
			}
			line := Pad(row[0], label)
			for i := from; i < min(from+inBlock, things); i++ {
				cell := ""
				if i+1 < len(row) {
					cell = row[i+1]
				}
				line += "  " + Pad(cell, -width)
			}
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return out.String()
}
