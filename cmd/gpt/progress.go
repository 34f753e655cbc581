package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"tinygpt/tokenizer"
)

// progress is a bar on a terminal, and nothing elsewhere, for work of seconds.
// Training has a report of its own.
type progress struct {
	w     io.Writer
	stage string
	bar   *progressbar.ProgressBar
}

func newProgress(w io.Writer) *progress { return &progress{w: w} }

// options has the training of a tokenizer report to p; the text has that many bytes.
func (p *progress) options(bytes int) []tokenizer.TrainOption {
	return []tokenizer.TrainOption{
		tokenizer.Counted(func(n int) { p.show("counting words", n, bytes) }),
		tokenizer.Progress(func(n, total int) { p.show("merging", n, total) }),
	}
}

// show moves the bar of a stage; a new stage begins a new bar.
func (p *progress) show(stage string, done, total int) {
	if !isTerminal(p.w) {
		return
	}
	if stage != p.stage {
		p.close()
		p.stage = stage
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(24),
			progressbar.OptionSetDescription(stage), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetTheme(progressbar.ThemeUnicode))
	}
	p.bar.Set(done)
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		p.bar.Clear()
	}
}
