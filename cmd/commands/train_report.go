package commands

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tinygpt/internal/interrupt"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/train"
)

// trainReport is a train.Report that writes to w: on a terminal a progress bar below the
// lines of evaluations and samples, otherwise plain lines, about one every ten seconds.
type trainReport struct {
	w   io.Writer
	bar *terminal.Bar
	now func() time.Time
	// The time left is estimated from the end of the first step, which takes longer
	// than the others: at the time started, the share doneThen of the work was done.
	started   time.Time
	doneThen  float64
	lastPrint time.Time
	tokens    float64 // tokens per second, smoothed
	loss      float64 // smoothed
	waits     float64 // share of a step, smoothed
	val       string
	step      string // the last one, of how many
}

// barParts is the number of parts that a progress bar is divided into.
const barParts = 1000

func newTrainReport(w io.Writer) *trainReport {
	return &trainReport{w: w, bar: terminal.NewBar(w, barParts), now: interrupt.Now}
}

// Step moves the bar, with the loss and the time left.
func (r *trainReport) Step(m train.Metrics, p train.Progress) {
	r.smooth(m)
	r.step = fmt.Sprintf("step %d/%d", m.Step, p.Steps)
	status := fmt.Sprintf("%s  loss %.4f%s", r.step, r.loss, r.val)
	rates := fmt.Sprintf("  lr %.2e  norm %.2f  %s tok/s", m.LearningRate, m.GradNorm, number.Thousands(int(r.tokens)))
	if crew != nil {
		rates += fmt.Sprintf("  waits %.0f %%", 100*r.waits)
	}
	left := ""
	if r.started.IsZero() {
		r.started, r.doneThen = r.now(), p.Done
	} else if m.Step < p.Steps {
		takes := float64(r.now().Sub(r.started)) * (1 - p.Done) / (p.Done - r.doneThen)
		left = fmt.Sprintf("  %s left", number.Short(time.Duration(takes)))
	}
	if r.bar.Shown() {
		r.bar.Set(status+left+rates, int(barParts*p.Done)) // a narrow terminal cuts the end off
		return
	}
	if r.lastPrint.IsZero() || m.Step == p.Steps || r.now().Sub(r.lastPrint) > 10*time.Second {
		r.lastPrint = r.now()
		fmt.Fprintln(r.w, status+rates+left)
	}
}

// smooth keeps exponential means over about twenty steps.
func (r *trainReport) smooth(m train.Metrics) {
	if r.tokens == 0 {
		r.tokens, r.loss, r.waits = m.TokensPerSec, m.Loss, m.Waiting
	}
	r.tokens += (m.TokensPerSec - r.tokens) / 20
	r.loss += (m.Loss - r.loss) / 20
	r.waits += (m.Waiting - r.waits) / 20
}

// Evaluated prints an evaluation's line above the bar.
func (r *trainReport) Evaluated(m train.Metrics, best bool) {
	r.val = fmt.Sprintf("  val %.4f", m.ValLoss)
	mark := ""
	if best {
		mark = "  (best)"
	}
	if m.Metric != "" {
		r.val = fmt.Sprintf("  %s %.4f", m.Metric, m.Score)
		r.line(fmt.Sprintf("step %d: %s %.4f on the development set, loss %.4f%s", m.Step, m.Metric, m.Score, m.ValLoss, mark))
		return
	}
	on := ""
	if m.BitsPerByte > 0 { // pairs of answers have none
		on = fmt.Sprintf(", %.4f bits per byte", m.BitsPerByte)
	}
	if m.Context > 0 {
		on += fmt.Sprintf(", context %d so far", m.Context)
	}
	r.line(fmt.Sprintf("step %d: validation loss %.4f%s%s", m.Step, m.ValLoss, on, mark))
}

// Sampled prints a sample above the bar.
func (r *trainReport) Sampled(step int, text string) {
	r.line(fmt.Sprintf("step %d writes:\n    %s", step, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")))
}

// Close leaves the last step where the bar was.
func (r *trainReport) Close() {
	r.bar.Clear()
	if r.bar.Shown() && r.step != "" {
		fmt.Fprintf(r.w, "%s  loss %.4f%s\n", r.step, r.loss, r.val)
	}
}

// line prints a line above the bar.
func (r *trainReport) line(text string) { r.bar.Line(text) }

// writeLeftOut says how many batches a training has left out, if any.
func writeLeftOut(w io.Writer, s train.State) {
	if n := s.Spikes.Skipped; n > 0 {
		fmt.Fprintf(w, "left out:   %s of the batches, whose loss or gradient stuck out (train.on_spike)\n", number.Thousands(n))
	}
}
