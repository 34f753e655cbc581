package ladder

import (
	"fmt"
	"io"
	"time"

	"tinygpt/internal/interrupt"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/train"
)

// NewReport returns a Report that writes to w: on a terminal a bar over the whole ladder
// below a line for each trained model, else plain lines.
func NewReport(w io.Writer) Report {
	return &report{w: w, bar: terminal.NewBar(w, parts)}
}

// parts is how finely the bar is divided.
const parts = 1000

type report struct {
	w   io.Writer
	bar *terminal.Bar

	name        string
	done, share float64 // see Report.Begin
	// started and before are the instant and the part of the ladder that was done when this
	// process began to train: the time left goes by its own speed.
	started   time.Time
	before    float64
	first     int     // the step that this process began this model at; -1 until then
	loss      float64 // a running mean
	lastPrint time.Time
}

func (r *report) Begin(rung Rung, number, of int, done, share float64) {
	r.name = fmt.Sprintf("model %d of %d, %s", number, of, rung.Shape)
	r.done, r.share, r.first, r.loss = done, share, -1, 0
}

func (r *report) Step(m train.Metrics, total int) {
	at := func(step int) float64 { return r.done + r.share*float64(step)/float64(total) }
	if r.first < 0 {
		r.first, r.loss = m.Step-1, m.Loss
		if r.started.IsZero() {
			r.started, r.before = interrupt.Now(), at(r.first)
		}
	}
	r.loss += (m.Loss - r.loss) / 20
	done := at(m.Step)
	status := fmt.Sprintf("%s  step %d/%d  loss %.4f  %s left", r.name, m.Step, total, r.loss, number.Short(r.left(done)))
	if r.bar.Shown() {
		r.bar.Set(status, int(parts*done))
		return
	}
	if time.Since(r.lastPrint) > 10*time.Second {
		r.lastPrint = time.Now()
		fmt.Fprintln(r.w, status)
	}
}

// left returns how long the rest of the ladder takes at the speed so far; 0 if unknown.
func (r *report) left(done float64) time.Duration {
	if done <= r.before {
		return 0
	}
	return time.Duration(float64(interrupt.Now().Sub(r.started)) * max(1-done, 0) / (done - r.before))
}

func (r *report) Done(result Result, before bool) {
	how := "trained in " + number.Short(time.Duration(result.Seconds*float64(time.Second)))
	if before {
		how = "was trained before"
	}
	r.bar.Line(fmt.Sprintf("%s, seed %d: %s parameters without embeddings, loss %.4f, %.4f bits per byte (%s)",
		result.Shape, result.Seed, number.Thousands(int(result.NonEmbedding)), result.Loss, result.BitsPerByte, how))
}

func (r *report) Close() { r.bar.Clear() }
