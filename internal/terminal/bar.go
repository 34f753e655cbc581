package terminal

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Bar is a progress bar at the foot of a terminal, with lines above it that stay. Where it
// isn't shown, the lines are all there is.
type Bar struct {
	w   io.Writer
	bar *progressbar.ProgressBar // nil: not shown
}

// NewBar returns a bar of that many parts.
func NewBar(w io.Writer, shown bool, parts int) *Bar {
	b := &Bar{w: w}
	if shown {
		b.bar = progressbar.NewOptions(parts,
			progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(barWidth(columnsOf(w))), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetTheme(progressbar.ThemeUnicode))
	}
	return b
}

// Shown says whether there is a bar.
func (b *Bar) Shown() bool { return b.bar != nil }

// Set moves a bar that is shown, and says before it as much of status as the line has room for.
func (b *Bar) Set(status string, done int) {
	columns := columnsOf(b.w)
	room := 0 // no limit
	if columns > 0 {
		room = max(1, columns-barRest-barWidth(columns))
	}
	b.bar.Describe(Fit(status, room))
	b.bar.Set(done)
}

// Line prints a line above the bar.
func (b *Bar) Line(text string) {
	if b.bar == nil {
		fmt.Fprintln(b.w, text)
		return
	}
	b.bar.Clear()
	fmt.Fprintln(b.w, text)
	b.bar.RenderBlank()
}

// Close leaves the bar where it is and goes on below.
func (b *Bar) Close() {
	if b.bar != nil {
		b.bar.Exit()
		fmt.Fprintln(b.w)
	}
}

// columnsOf is the width of the terminal that w writes to in the end, 0 if it is none. What
// wraps a terminal gives it away by a method Unwrap.
func columnsOf(w io.Writer) int {
	if o, ok := w.(interface{ Unwrap() io.Writer }); ok {
		w = o.Unwrap()
	}
	return Width(w)
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
