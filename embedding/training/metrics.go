package training

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/chart"
	"tinygpt/internal/userfile"
)

// Names of files in a run's folder.
const (
	MetricsFile   = "metrics.jsonl"
	LossCurveFile = "loss.svg"
)

// Metrics is one line of a run's metrics.jsonl: an evaluation.
type Metrics struct {
	Step         int     `json:"step"`
	Words        int     `json:"words"` // that the steps so far have read: words of the text, or cells of GloVe's matrix
	Epoch        float64 `json:"epoch"`
	Loss         float64 `json:"loss,omitempty"`     // the objective on a sample of the training text, nats for each example
	ValLoss      float64 `json:"val_loss,omitempty"` // on held-out text
	LearningRate float64 `json:"learning_rate"`
	WordsPerSec  float64 `json:"words_per_second"`
	Elapsed      float64 `json:"elapsed_seconds"`
}

// metricsLog appends to metrics.jsonl.
type metricsLog struct {
	lines *atomicfile.Lines
	all   []Metrics
}

// openMetrics opens the log of a run that goes on after a step; later lines, of steps that
// are made again, are dropped.
func openMetrics(path string, step int) (*metricsLog, error) {
	all, err := ReadMetrics(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l := &metricsLog{}
	var keep bytes.Buffer
	for _, m := range all {
		if m.Step <= step {
			l.all = append(l.all, m)
			if err := json.NewEncoder(&keep).Encode(m); err != nil {
				return nil, err
			}
		}
	}
	if err := atomicfile.WriteFile(path, keep.Bytes()); err != nil {
		return nil, err
	}
	l.lines, err = atomicfile.OpenLines(path)
	return l, err
}

func (l *metricsLog) add(m Metrics) error {
	l.all = append(l.all, m)
	return l.lines.Add(m)
}

func (l *metricsLog) close() error { return l.lines.Close() }

// ReadMetrics reads a metrics.jsonl. A last line that was cut off is ignored.
func ReadMetrics(path string) ([]Metrics, error) {
	f, err := userfile.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Metrics
	var broken error
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if broken != nil {
			return nil, broken
		}
		var m Metrics
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			broken = fmt.Errorf("%s:%d: not a line of metrics: %w", path, n, err)
			continue
		}
		all = append(all, m)
	}
	return all, lines.Err()
}

// drawLoss draws the objective over the epochs.
func drawLoss(path, model string, all []Metrics) error {
	if len(all) == 0 {
		return nil
	}
	var training, heldOut plotter.XYs
	for _, m := range all {
		training = append(training, plotter.XY{X: m.Epoch, Y: m.Loss})
		if m.ValLoss != 0 {
			heldOut = append(heldOut, plotter.XY{X: m.Epoch, Y: m.ValLoss})
		}
	}
	p := chart.New("Objective of "+model, "epoch", "nats per example")
	p.Add(plotter.NewGrid())
	p.Legend.Top = true
	if err := errors.Join(
		chart.Line(p, "training text (a sample)", training, chart.SkyBlue, nil),
		chart.Line(p, "held-out text", heldOut, chart.Vermillion, nil)); err != nil {
		return err
	}
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}
