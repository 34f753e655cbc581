package terminal

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Framed returns a table with thin lines around its cells, whose head and foot are written
// as they are given.
func Framed() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = text.FormatDefault, text.FormatDefault
	return t
}

// Unframed returns a table with a line below its head and two spaces between its columns.
func Unframed() table.Writer {
	t := Framed()
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	return t
}

// Fitting has the widest columns of a framed table break their cells between words, so that
// it fits a terminal of that many columns; 0 is no limit.
func Fitting(rows [][]string, columns int) (configs []table.ColumnConfig) {
	const frame, narrowest = 3, 10 // of a column
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	all := 1
	for _, w := range widths {
		all += w + frame
	}
	for ; columns > 0 && all > columns; all-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	for i, w := range widths {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft})
	}
	return configs
}
