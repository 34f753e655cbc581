package transfer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"tinygpt/embedding"
	"tinygpt/finetune/metric"
	"tinygpt/internal/chart"
)

// Trial is one classifier and what it reached.
type Trial struct {
	Start Start `json:"start"`
	// Variant says what was changed in the configuration; "": nothing.
	Variant   string `json:"variant,omitempty"`
	Sentences int    `json:"sentences"`
	Seed      uint64 `json:"seed"`
	Dev       Score  `json:"dev"`
	Test      Score  `json:"test"`
}

// Variant is a changed configuration with a name for the change, "" for none.
type Variant struct {
	Name   string
	Config Config
}

// Ablations returns the configuration with one part changed in turn: without each of its
// features, without the window, and with the CRF switched on or off.
func Ablations(c Config) []Variant {
	var out []Variant
	for _, f := range c.Features {
		less := c
		less.Features = slices.DeleteFunc(slices.Clone(c.Features), func(g string) bool { return g == f })
		out = append(out, Variant{"without " + f, less})
	}
	if c.Window > 0 {
		alone := c
		alone.Window = 0
		out = append(out, Variant{"the word alone", alone})
	}
	other, name := c, "with CRF"
	if other.CRF = !c.CRF; c.CRF {
		name = "without CRF"
	}
	return append(out, Variant{name, other})
}

// Try trains a classifier on the first n training sentences and measures it. The other
// arguments and the errors are those of NewTagger and Tagger.Train.
func Try(ctx context.Context, v Variant, start Start, vectors *embedding.Vectors, sets Sets, n int, seed uint64, report func(epoch int, loss, f1 float64)) (Trial, error) {
	sets.Train = sets.Train[:min(n, len(sets.Train))]
	trial := Trial{Start: start, Variant: v.Name, Sentences: len(sets.Train), Seed: seed}
	t, err := NewTagger(v.Config, start, vectors, sets, seed)
	if err != nil {
		return trial, err
	}
	if err := t.Train(ctx, sets, seed, report); err != nil {
		return trial, err
	}
	if trial.Dev, err = t.Evaluate(sets.Dev); err != nil {
		return trial, err
	}
	trial.Test, err = t.Evaluate(sets.Test)
	return trial, err
}

// Mean returns the mean of f over the trials and its standard deviation, 0 for a single trial.
func Mean(trials []Trial, f func(Trial) float64) (mean, deviation float64) {
	var values []float64
	for _, t := range trials {
		values = append(values, f(t))
	}
	return metric.MeanDeviation(values)
}

// Select returns the trials with this start, variant and number of sentences.
func Select(trials []Trial, start Start, variant string, sentences int) (out []Trial) {
	for _, t := range trials {
		if t.Start == start && t.Variant == variant && t.Sentences == sentences {
			out = append(out, t)
		}
	}
	return out
}

// Amounts returns the numbers of training sentences at which the curve is measured, ascending:
// n, its half, and so on down to 25.
func Amounts(n int) (out []int) {
	for a := n; a >= 25 || len(out) == 0; a /= 2 {
		out = append(out, a)
	}
	slices.Reverse(out)
	return out
}

// DrawCurve draws the F1 on the test sentences over the number of training sentences into the
// file path: the mean over seeds as a line, each trial as a dot, for each start. Trials with a
// variant aren't drawn. No trials are an error.
func DrawCurve(path string, trials []Trial) error {
	p := chart.New("Entity F1 and labelled sentences", "labelled sentences", "entity F1, %")
	var ticks []plot.Tick
	lowest, highest := 100.0, 0.0
	for i, start := range Starts {
		amounts := map[int]bool{}
		var line, dots plotter.XYs
		for _, t := range trials {
			if t.Start != start || t.Variant != "" {
				continue
			}
			dots = append(dots, plotter.XY{X: float64(t.Sentences), Y: 100 * t.Test.All.F1()})
			lowest, highest = min(lowest, dots[len(dots)-1].Y), max(highest, dots[len(dots)-1].Y)
			if !amounts[t.Sentences] {
				amounts[t.Sentences] = true
				mean, _ := Mean(Select(trials, start, "", t.Sentences), func(t Trial) float64 { return 100 * t.Test.All.F1() })
				line = append(line, plotter.XY{X: float64(t.Sentences), Y: mean})
				if tick := (plot.Tick{Value: float64(t.Sentences), Label: strconv.Itoa(t.Sentences)}); !slices.Contains(ticks, tick) {
					ticks = append(ticks, tick)
				}
			}
		}
		slices.SortFunc(line, func(a, b plotter.XY) int { return int(math.Copysign(1, a.X-b.X)) })
		if err := chart.Line(p, string(start)+" vectors", line, chart.Colors[i], nil); err != nil {
			return err
		}
		if len(dots) == 0 {
			continue
		}
		points, err := plotter.NewScatter(dots)
		if err != nil {
			return err
		}
		points.Color, points.Radius = chart.Colors[i], vg.Points(2)
		p.Add(points)
	}
	if len(ticks) == 0 {
		return fmt.Errorf("%s: no trials to draw", path)
	}
	p.X.Min, p.X.Max = p.X.Min/1.1, p.X.Max*1.1
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(ticks)
	p.Y.Min, p.Y.Max = max(lowest-5, 0), min(highest+5, 100)
	p.Add(plotter.NewGrid())
	return chart.Write(path, chart.SlideWidth, chart.SlideHeight, []*plot.Plot{p})
}
