package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"tinygpt/embedding/training"
	"tinygpt/internal/number"
)

// vectorsReport shows a training of word vectors: on a terminal a bar below the lines of
// evaluations, elsewhere those lines alone.
type vectorsReport struct {
	w       io.Writer
	bar     *progressbar.ProgressBar // nil: plain lines
	first   int
	started time.Time
	loss    string
}

func newVectorsReport(w io.Writer, terminal bool, s *training.Session) *vectorsReport {
	r := &vectorsReport{w: w, first: s.Step(), started: time.Now()}
	if terminal {
		r.bar = newBar(w, s.Steps())
		r.bar.Set(r.first)
	}
	return r
}

func (r *vectorsReport) show(p training.Progress) {
	left := time.Since(r.started) / time.Duration(p.Step-r.first) * time.Duration(p.Steps-p.Step)
	if p.Loss != 0 {
		r.loss = fmt.Sprintf("  loss %.4f", p.Loss)
		if p.ValLoss != 0 {
			r.loss += fmt.Sprintf(", held out %.4f", p.ValLoss)
		}
	}
	status := fmt.Sprintf("epoch %.2f%s  lr %.4f  %s %s/s  %s left", p.Epoch, r.loss, p.LearningRate, number.Thousands(int(p.WordsPerSec)), p.Unit, number.Short(left))
	if r.bar == nil {
		if p.Loss != 0 {
			fmt.Fprintln(r.w, status)
		}
		return
	}
	if p.Loss != 0 {
		r.bar.Clear()
		fmt.Fprintln(r.w, status)
	}
	describeBar(r.bar, r.w, status)
	r.bar.Set(p.Step)
}

func (r *vectorsReport) close() {
	if r.bar != nil {
		r.bar.Exit()
		fmt.Fprintln(r.w)
	}
}
