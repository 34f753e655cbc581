//go:build linux

package reliability

import (
	"fmt"
	"io"
	"strings"
)

// Report counts what was done to runs, and what went wrong.
type Report struct {
	Log  io.Writer // gets each finding at once, and the progress of long work
	rows []*row
}

// row counts for one fault and one kind of run.
type row struct {
	fault, kind string
	times       int      // how often it was injected
	compared    int      // runs that were brought to their end and compared
	accepted    int      // damaged runs that a command has read without an error
	findings    []string // what went wrong
}

// row returns the row of a fault and a kind, and adds it if there is none yet.
func (r *Report) row(fault, kind string) *row {
	for _, x := range r.rows {
		if x.fault == fault && x.kind == kind {
			return x
		}
	}
	x := &row{fault: fault, kind: kind}
	r.rows = append(r.rows, x)
	return x
}

// wrong notes a finding.
func (r *Report) wrong(x *row, format string, args ...any) {
	f := fmt.Sprintf(format, args...)
	x.findings = append(x.findings, f)
	fmt.Fprintf(r.Log, "WRONG %s, %s: %s\n", x.fault, x.kind, f)
}

// Wrong returns the number of findings.
func (r *Report) Wrong() (n int) {
	for _, x := range r.rows {
		n += len(x.findings)
	}
	return n
}

// Markdown returns the counts as a table.
func (r *Report) Markdown() string {
	var b strings.Builder
	b.WriteString("| fault | kind of run | times | runs compared | read without an error | went wrong |\n|---|---|---|---|---|---|\n")
	for _, x := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d |\n", x.fault, x.kind, x.times, x.compared, x.accepted, len(x.findings))
	}
	return b.String()
}
