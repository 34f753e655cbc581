package perf

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// NewProgress returns a function that shows what is being measured and how much of the
// whole is done: as a bar on a terminal, otherwise as a line every few seconds.
func NewProgress(w io.Writer) func(what string, done, total int) {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		last := time.Time{}
		return func(what string, done, total int) {
			if time.Since(last) > 5*time.Second && done < total {
				last = time.Now()
				fmt.Fprintf(w, "measuring %d of %d: %s\n", done+1, total, what)
			}
		}
	}
	var bar *progressbar.ProgressBar
	return func(what string, done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24),
				progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
				progressbar.OptionSetTheme(progressbar.ThemeUnicode), progressbar.OptionClearOnFinish())
		}
		bar.Describe(what)
		bar.Set(done)
	}
}
