package commands

import (
	"github.com/jedib0t/go-pretty/v6/table"
	prettytext "github.com/jedib0t/go-pretty/v6/text"
)

// newTable returns a table with thin lines, whose head and foot are written as they are
// given.
func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = prettytext.FormatDefault, prettytext.FormatDefault
	return t
}
