package commands

import (
	"fmt"
	"io"
	"time"

	"tinygpt/embedding/training"
	"tinygpt/internal/interrupt"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
)

// vectorsReport shows a training of word vectors: on a terminal a bar below the lines of
// evaluations, elsewhere those lines alone.
type vectorsReport struct {
	w       io.Writer
	bar     *terminal.Bar
	first   int
	started time.Time
	loss    string
}

func newVectorsReport(w io.Writer, s *training.Session) *vectorsReport {
	r := &vectorsReport{w: w, bar: terminal.NewBar(w, s.Steps()), first: s.Step(), started: interrupt.Now()}
	if r.bar.Shown() {
		r.bar.Set("", r.first)
	}
	return r
}

func (r *vectorsReport) show(p training.Progress) {
	left := interrupt.Now().Sub(r.started) / time.Duration(p.Step-r.first) * time.Duration(p.Steps-p.Step)
	if p.Loss != 0 {
		r.loss = fmt.Sprintf("  loss %.4f", p.Loss)
		if p.ValLoss != 0 {
			r.loss += fmt.Sprintf(", held out %.4f", p.ValLoss)
		}
	}
	status := fmt.Sprintf("epoch %.2f%s  lr %.4f  %s %s/s", p.Epoch, r.loss, p.LearningRate, number.Thousands(int(p.WordsPerSec)), p.Unit)
	if p.Step < p.Steps {
		status += fmt.Sprintf("  %s left", number.Short(left))
	}
	if p.Loss != 0 {
		r.bar.Line(status)
	}
	if r.bar.Shown() {
		r.bar.Set(status, p.Step)
	}
}

func (r *vectorsReport) close() { r.bar.Clear() }
