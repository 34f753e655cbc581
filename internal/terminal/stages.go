package terminal

import (
	"fmt"
	"io"
	"time"

	"tinygpt/internal/number"
)

// Stages shows how far work has come that goes through stages: on a terminal as a bar that
// goes away at the end, elsewhere as a line now and then.
type Stages struct {
	w       io.Writer
	stage   string
	bar     *Bar
	started time.Time // of the stage
	printed time.Time
}

// printEvery is how often Stages prints a line where it has no bar.
const printEvery = 10 * time.Second

// NewStages returns stages that are shown on w.
func NewStages(w io.Writer) *Stages { return &Stages{w: w, printed: time.Now()} }

// Show says that the stage has come to done of total. Another stage than before begins anew;
// one that is done is no longer shown.
func (s *Stages) Show(stage string, done, total int) {
	if done >= total {
		s.Clear()
		return
	}
	if s.bar == nil || stage != s.stage {
		s.Clear()
		s.stage, s.bar, s.started = stage, NewBar(s.w, total), time.Now()
	}
	left := ""
	if took := time.Since(s.started); took > 3*time.Second && done > 0 {
		left = "  " + number.Short(time.Duration(float64(took)*float64(total-done)/float64(done))) + " left"
	}
	switch {
	case s.bar.Shown():
		s.bar.Set(stage+left, done)
	case time.Since(s.printed) > printEvery:
		s.printed = time.Now()
		fmt.Fprintf(s.w, "%s: %s of %s%s\n", stage, number.Thousands(done), number.Thousands(total), left)
	}
}

// Clear takes the bar away.
func (s *Stages) Clear() {
	if s.bar != nil {
		s.bar.Clear()
		s.bar = nil
	}
}
