package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Bar is a progress bar at the foot of a terminal, with lines above it that stay. On
// anything but a terminal the lines are all there is. It may be used by several goroutines.
//
// The bar takes one line of the terminal, whose width is asked for each time it is drawn, so
// that it fits after the terminal was made narrower.
type Bar struct {
	mu     sync.Mutex
	w      io.Writer
	parts  int
	shown  bool
	status string
	done   int
	drawn  bool      // is there at present
	last   time.Time // when it was drawn
}

// redraw is how often a bar is drawn at most.
const redraw = 100 * time.Millisecond

// NewBar returns a bar of that many parts at the foot of w.
func NewBar(w io.Writer, parts int) *Bar {
	return &Bar{w: Raw(w), parts: parts, shown: controls(w)}
}

// Shown says whether there is a bar.
func (b *Bar) Shown() bool { return b.shown }

// Set moves the bar. status, fields divided by two blanks, is what is said next to it: as
// many of the fields as the line has room for.
func (b *Bar) Set(status string, done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status, b.done = Visible(status), done
	if b.shown && (done >= b.parts || time.Since(b.last) >= redraw) {
		b.draw()
	}
}

// Line prints a line above the bar, on a terminal broken between words where it is longer
// than that is wide.
func (b *Bar) Line(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	if Is(b.w) {
		text = Visible(text)
	}
	if b.shown {
		text = Wrapped(text, columnsOf(b.w))
	}
	fmt.Fprintln(b.w, text)
	if b.shown && !b.last.IsZero() {
		b.draw()
	}
}

// Clear takes the bar away.
func (b *Bar) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
}

// eraseLine moves the cursor to the beginning of its line, and takes away what is there and
// below: when a terminal is made narrower, it breaks a line that has no room any more.
const eraseLine = "\r\x1b[J"

// draw writes the bar over the one that is there. The last column stays free: a terminal
// might begin a new line after it. The cursor waits at the beginning, where it stays when
// the terminal breaks the line.
func (b *Bar) draw() {
	fmt.Fprint(b.w, eraseLine, barText(float64(b.done)/float64(max(b.parts, 1)), b.status, columnsOf(b.w)-1), "\r")
	b.drawn, b.last = true, time.Now()
}

// erase leaves the bar's line empty.
func (b *Bar) erase() {
	if b.drawn {
		fmt.Fprint(b.w, eraseLine)
		b.drawn = false
	}
}

// barText is a bar that has come to a share of the whole, in at most that many columns: the
// bar, the share, and as much of status as there is room for.
func barText(share float64, status string, columns int) string {
	share = min(max(share, 0), 1)
	cells := min(24, max(4, (columns+1)/8))
	full := int(share * float64(cells))
	text := fmt.Sprintf("%s%s %3.0f %%", strings.Repeat("█", full), strings.Repeat("░", cells-full), 100*share)
	for i, field := range strings.Split(status, "  ") {
		more := text + "  " + field
		if Columns(more) > columns {
			if i == 0 { // a part of it is better than nothing
				text = Fit(more, columns)
			}
			break
		}
		text = more
	}
	return Fit(text, columns)
}
