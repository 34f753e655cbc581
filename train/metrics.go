package train

import (
	"io"

	"tinygpt/internal/atomicfile"
)

// Metrics is one line of a run's metrics.jsonl: a step, or an evaluation.
type Metrics struct {
	Step int `json:"step"` // updates made
	// A step's line has the loss of its batches: mean, in nats per token.
	Loss         float64 `json:"loss,omitempty"`
	LearningRate float64 `json:"learning_rate,omitempty"`
	GradNorm     float64 `json:"grad_norm,omitempty"` // before clipping
	// Skipped is in the line of a batch that was left out (see Config.OnSpike): how many were
	// so far.
	Skipped      int     `json:"skipped,omitempty"`
	TokensPerSec float64 `json:"tokens_per_second,omitempty"`
	// Waiting is the share of the step's time that process 0 of several waited for the
	// others.
	Waiting float64 `json:"waiting,omitempty"`
	// Values are the objective's own measures; see Valued.
	Values map[string]float64 `json:"values,omitempty"`
	// An evaluation's line has the loss on the held-out split, in nats per token.
	ValLoss float64 `json:"val_loss,omitempty"`
	// Context is the length of the sequences, if it is shorter than the model's: later
	// positions weren't trained yet.
	Context     int     `json:"val_context,omitempty"`
	BitsPerByte float64 `json:"val_bits_per_byte,omitempty"`
	Floor       float64 `json:"val_floor,omitempty"` // the lowest possible ValLoss, where that is known
	Metric      string  `json:"metric,omitempty"`    // what Score is, in fine-tuning
	Score       float64 `json:"val_score,omitempty"`

	Elapsed float64 `json:"elapsed_seconds,omitempty"` // training time
}

// metricsLog appends to metrics.jsonl.
type metricsLog struct {
	file  *atomicfile.Lines
	curve Curve   // nil: none is drawn
	last  Metrics // the file's last line
}

// Curve draws a run while it is trained.
type Curve interface {
	// Add takes a line of the run's metrics, the first lines first: also those that were
	// written before the run goes on.
	Add(Metrics)
	// Draw draws what was added. It is called before each checkpoint is written: a run
	// that goes on from the checkpoint has what Draw leaves.
	Draw() error
}

// openMetrics opens the log of a run that goes on after step. Later lines are dropped:
// their steps are done again. newCurve makes the run's curve, unless it is nil.
func openMetrics(path string, step int, newCurve func() Curve) (*metricsLog, error) {
	all, file, err := atomicfile.Reopen(path, func(m Metrics) bool { return m.Step <= step })
	if err != nil {
		return nil, err
	}
	l := &metricsLog{file: file}
	if newCurve != nil {
		l.curve = newCurve()
	}
	for _, m := range all {
		l.note(m)
	}
	return l, nil
}

// add writes a line. A nil log, of a process that writes no files, takes none.
func (l *metricsLog) add(m Metrics) error {
	if l == nil {
		return nil
	}
	l.note(m)
	return l.file.Add(m)
}

func (l *metricsLog) note(m Metrics) {
	l.last = m
	if l.curve != nil {
		l.curve.Add(m)
	}
}

// addEvaluation is add for an evaluation, which is there already if the run was interrupted
// after it.
func (l *metricsLog) addEvaluation(m Metrics) error {
	if l == nil {
		return nil
	}
	if l.last.Step == m.Step && l.last.ValLoss != 0 {
		return nil
	}
	return l.add(m)
}

func (l *metricsLog) close() error { return l.file.Close() }

// ReadMetrics reads a metrics.jsonl. A last line that was only partly written is left out.
func ReadMetrics(path string) ([]Metrics, error) { return atomicfile.ReadLines[Metrics](path) }

// ParseMetrics does what ReadMetrics does, for an open file; errors mention name.
func ParseMetrics(r io.Reader, name string) ([]Metrics, error) {
	return atomicfile.ParseLines[Metrics](r, name)
}

// WriteMetrics writes what ReadMetrics reads.
func WriteMetrics(w io.Writer, all []Metrics) error { return atomicfile.WriteLines(w, all) }
