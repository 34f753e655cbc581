package training

import (
	"errors"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"tinygpt/internal/atomicfile"
	"tinygpt/internal/chart"
)

// Names of files in a run's folder.
const (
	MetricsFile   = "metrics.jsonl"
	LossCurveFile = "loss.svg"
)

// Metrics is one line of a run's metrics.jsonl: an evaluation.
type Metrics struct {
	Step         int     `json:"step"`
	Words        int     `json:"words"` // read by the steps so far; for GloVe, cells of its matrix
	Epoch        float64 `json:"epoch"`
	Loss         float64 `json:"loss,omitempty"`     // the objective on a sample of the training text, nats per example
	ValLoss      float64 `json:"val_loss,omitempty"` // on held-out text
	LearningRate float64 `json:"learning_rate"`
	WordsPerSec  float64 `json:"words_per_second"`
	Elapsed      float64 `json:"elapsed_seconds"`
}

// ReadMetrics reads a metrics.jsonl. It leaves out a last line that was only partly written.
func ReadMetrics(path string) ([]Metrics, error) { return atomicfile.ReadLines[Metrics](path) }

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
