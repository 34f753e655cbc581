package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"tinygpt/internal/terminal"
)

// newBar is the bar of a training, for a terminal.
func newBar(w io.Writer, parts int) *progressbar.ProgressBar {
	return progressbar.NewOptions(parts,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(barWidth(columnsOf(w))), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetTheme(progressbar.ThemeUnicode))
}

// columnsOf is the width of the terminal that w writes to in the end, 0 if it is none.
func columnsOf(w io.Writer) int {
	if f := fileOf(w); f != nil {
		return terminal.Width(f)
	}
	return 0
}

// barWidth is how long a bar is on a terminal of that many columns; 0: unknown.
func barWidth(columns int) int {
	if columns == 0 {
		return 24
	}
	return min(24, max(4, columns/8))
}

// barRest is what a bar takes of a line besides itself and its description: the percentage,
// its ends, spaces, and the last column, which stays free.
const barRest = 11

// describeBar sets what comes before a bar, cut to what the line has room for.
func describeBar(bar *progressbar.ProgressBar, w io.Writer, status string) {
	columns := columnsOf(w)
	room := 0 // no limit
	if columns > 0 {
		room = max(1, columns-barRest-barWidth(columns))
	}
	bar.Describe(terminal.Fit(status, room))
}
