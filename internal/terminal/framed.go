package terminal

import (
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Framed is a table with thin lines around its cells. Its first row is its head.
type Framed struct {
	// Right says of which columns the cells end under one another rather than begin.
	Right func(column int) bool

	rows  [][]string
	lines []int // how many rows are above each line
}

// Row adds a row. All rows have the same number of cells.
func (f *Framed) Row(cells ...string) { f.rows = append(f.rows, cells) }

// Line draws a line below the rows that were added so far. The head has one anyway.
func (f *Framed) Line() { f.lines = append(f.lines, len(f.rows)) }

// Text returns the table's lines. The widest columns break their cells between words, so
// that the table fits a terminal of that many columns; 0 is no limit.
func (f *Framed) Text(columns int) string {
	t := thinLined()
	var configs []table.ColumnConfig
	for i, width := range f.widths(columns) {
		c := table.ColumnConfig{Number: i + 1, WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
		if f.Right != nil && f.Right(i) {
			c.Align = text.AlignRight
		}
		configs = append(configs, c)
	}
	t.SetColumnConfigs(configs)
	for i, cells := range f.rows {
		var row table.Row
		for _, c := range cells {
			row = append(row, c)
		}
		if i == 0 {
			t.AppendHeader(row)
			continue
		}
		if slices.Contains(f.lines, i) {
			t.AppendSeparator()
		}
		t.AppendRow(row)
	}
	return t.Render() + "\n"
}

// widths is how wide each column's cells may become.
func (f *Framed) widths(columns int) (widths []int) {
	const frame, narrowest = 3, 10 // of a column
	for _, row := range f.rows {
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
	return widths
}

// Unframed returns a table with a line below its head and two spaces between its columns,
// which can be written as Markdown too.
func Unframed() table.Writer {
	t := thinLined()
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
	return t
}

// thinLined returns a table of thin lines whose head is written as it is given.
func thinLined() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	return t
}
