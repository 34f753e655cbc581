package train

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// NewReport returns a Report that writes to w: on a terminal a progress bar
// below the lines of evaluations and samples; otherwise plain lines, one every
// ten seconds or so. first is the number of updates made before.
func NewReport(w io.Writer, terminal bool, first, total int) Report {
	r := &report{w: w, first: first, started: time.Now()}
	if terminal {
		r.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetTheme(progressbar.ThemeUnicode))
		r.bar.Set(first)
	}
	return r
}

type report struct {
	w         io.Writer
	bar       *progressbar.ProgressBar // nil: plain lines
	first     int
	started   time.Time
	lastPrint time.Time
	tokens    float64 // tokens per second, smoothed
	loss      float64 // smoothed
	val       string
}

func (r *report) Step(m Metrics, total int) {
	r.smooth(m)
	done := m.Step - r.first
	left := time.Since(r.started) / time.Duration(done) * time.Duration(total-m.Step)
	status := fmt.Sprintf("step %d/%d  loss %.4f%s  lr %.2e  norm %.2f  %s tok/s  %s left",
		m.Step, total, r.loss, r.val, m.LearningRate, m.GradNorm, Thousands(int(r.tokens)), Short(left))
	if r.bar != nil {
		r.bar.Describe(status)
		r.bar.Set(m.Step)
		return
	}
	if done == 1 || m.Step == total || time.Since(r.lastPrint) > 10*time.Second {
		r.lastPrint = time.Now()
		fmt.Fprintln(r.w, status)
	}
}

// smooth keeps means over some twenty steps.
func (r *report) smooth(m Metrics) {
	if r.tokens == 0 {
		r.tokens, r.loss = m.TokensPerSec, m.Loss
	}
	r.tokens += (m.TokensPerSec - r.tokens) / 20
	r.loss += (m.Loss - r.loss) / 20
}

func (r *report) Evaluated(m Metrics, best bool) {
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
	r.line(fmt.Sprintf("step %d: validation loss %.4f, %.4f bits per byte%s", m.Step, m.ValLoss, m.BitsPerByte, mark))
}

func (r *report) Sampled(step int, text string) {
	r.line(fmt.Sprintf("step %d writes:\n    %s", step, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")))
}

func (r *report) Close() {
	if r.bar != nil {
		r.bar.Exit()
		fmt.Fprintln(r.w)
	}
}

// line prints above the bar.
func (r *report) line(text string) {
	if r.bar == nil {
		fmt.Fprintln(r.w, text)
		return
	}
	r.bar.Clear()
	fmt.Fprintln(r.w, text)
	r.bar.RenderBlank()
}

// Thousands writes 1234 as 1,234.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Short writes a duration as 1h02m, 3m20s or 12s.
func Short(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%ds", int(d.Seconds()))
}

// Mebibytes writes a number of bytes as 12 MiB.
func Mebibytes(n int64) string { return fmt.Sprintf("%s MiB", Thousands(int((n+1<<19)>>20))) }
