package alignment

import (
	"fmt"
	"io"
	"path/filepath"

	"tinygpt/align"
	"tinygpt/run"
)

// Measures returns the measures of a reward model that has been trained, and nil for other kinds
// of training.
func (t *Training) Measures() (*align.RewardMeasures, error) {
	if t.Run.Kind != run.Reward {
		return nil, nil
	}
	m, err := readMeasures(t.Run.Dir)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Show prints the results of a step that has ended.
func (t *Training) Show(out io.Writer) error {
	fmt.Fprintf(out, "curves: %s\n", filepath.Join(t.Run.Dir, run.LossCurveFile))
	r, err := t.Measures()
	if err != nil {
		return err
	}
	if r == nil {
		fmt.Fprintf(out, "talk with it: gpt chat --run %s\n", t.Run.Dir)
		return nil
	}
	percent := func(what string, x float64) { fmt.Fprintf(out, "%-44s %5.1f %%\n", what, 100*x) }
	percent(fmt.Sprintf("right about the validation pairs (%d)", r.Pairs), r.Accuracy)
	if ceiling, ok := r.Others["ceiling"]; ok {
		percent("  the best that can be, as labelers disagree", ceiling)
		percent("  two labelers agree", r.Others["labelers_agree"])
	}
	percent("  length only", r.LengthOnly)
	percent("  words only", r.WordsOnly)
	if _, ok := r.Others["others_accuracy"]; ok {
		percent("right about pairs of other labelers", r.Others["others_accuracy"])
		percent("right about gold's order", r.Others["gold_accuracy"])
	}
	percent("calibration error", r.Calibration)
	fmt.Fprintf(out, "%-44s %6.2f\n", "correlation of score and length", r.LengthCorrelation)
	return nil
}
