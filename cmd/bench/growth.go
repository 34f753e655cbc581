package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/study/perf"
)

// growthBase is the workload that each sweep changes in one respect.
var growthBase = perf.Workload{Model: model.Config{Arch: model.GPT2, Layers: 4, Heads: 4, Width: 256, Context: 256, VocabSize: 1024}, Batch: 4}

// sweep measures steps while one dimension of the workload grows.
type sweep struct {
	What   string        `json:"what"`
	Values []int         `json:"values"`
	Points []growthPoint `json:"points"`
	// of sets the value in a workload.
	of func(*perf.Workload, int)
}

// growthPoint is one size of a sweep.
type growthPoint struct {
	Value int         `json:"value"`
	GFLOP float64     `json:"gflop"`
	Ms    perf.Spread `json:"step_ms"`
	// Predicted is the time that the point's operations take at the mean speed of the
	// sweep (the geometric mean of its points).
	Predicted float64 `json:"predicted_ms"`
}

// ratio returns the measured time divided by the predicted one.
func (p growthPoint) ratio() float64 { return p.Ms.Median / p.Predicted }

func sweeps() []*sweep {
	return []*sweep{
		{What: "sequence length T", Values: []int{64, 128, 256, 512, 1024}, of: func(w *perf.Workload, n int) { w.Model.Context = n }},
		{What: "width D", Values: []int{128, 256, 384, 512, 768}, of: func(w *perf.Workload, n int) { w.Model.Width, w.Model.Heads = n, n/64 }},
		{What: "layers L", Values: []int{1, 2, 4, 8, 16}, of: func(w *perf.Workload, n int) { w.Model.Layers = n }},
	}
}

// tolerance is how far a measured time may be from the prediction, as a share of it.
const tolerance = 0.15

func growthCommand() *cli.Command {
	return &cli.Command{
		Name:  "growth",
		Usage: "how a step of this program grows with T, D and layers, compared with the count of operations",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "plot", Usage: "draw `FILE` (.svg or .png)", Value: "growth.svg"},
			&cli.DurationFlag{Name: "slice", Usage: "time for each measurement", Value: 400 * time.Millisecond},
			&cli.IntFlag{Name: "rounds", Usage: "measurements of each size", Value: 3},
		},
		Action: func(c *cli.Context) error {
			if ext := filepath.Ext(c.String("plot")); ext != ".svg" && ext != ".png" {
				return fmt.Errorf("--plot %s: expected a name that ends in .svg or .png", c.String("plot"))
			}
			list := sweeps()
			rounds, err := measureGrowth(c, list)
			return keep(c, err, rounds > 0, list, func(w io.Writer) error {
				for _, s := range list {
					s.predict()
				}
				growthMarkdown(w, list)
				return plotGrowth(c.String("plot"), perf.ThisMachine(), list)
			})
		},
	}
}

// measureGrowth fills in the measured times of the sweeps, in rounds over all sizes, so that a
// slow moment of the machine doesn't fall on one size alone. It returns how many rounds have
// measured every size.
func measureGrowth(c *cli.Context, list []*sweep) (rounds int, err error) {
	total := 0
	for _, s := range list {
		s.Points = make([]growthPoint, len(s.Values))
		total += len(s.Values) * c.Int("rounds")
	}
	progress, done := terminal.NewStages(c.App.ErrWriter), 0
	defer progress.Clear()
	times := map[[2]int][]float64{}
	for ; rounds < c.Int("rounds"); rounds++ {
		for i, s := range list {
			for j, value := range s.Values {
				if err := c.Context.Err(); err != nil {
					return rounds, err
				}
				progress.Show(fmt.Sprintf("%s = %d", s.What, value), done, total)
				done++
				w := growthBase
				s.of(&w, value)
				ms, err := stepMs(w, c.Duration("slice"))
				if err != nil {
					return rounds, err
				}
				times[[2]int{i, j}] = append(times[[2]int{i, j}], ms)
				s.Points[j] = growthPoint{Value: value, GFLOP: w.FLOP() / 1e9, Ms: perf.SpreadOf(times[[2]int{i, j}])}
			}
		}
	}
	return rounds, nil
}

// predict fills in the predicted times.
func (s *sweep) predict() {
	var rates []float64
	for _, p := range s.Points {
		rates = append(rates, p.GFLOP/p.Ms.Median)
	}
	rate := perf.GeometricMean(rates)
	for i := range s.Points {
		s.Points[i].Predicted = s.Points[i].GFLOP / rate
	}
}

// stepMs measures the time of a step, in milliseconds.
func stepMs(w perf.Workload, length time.Duration) (float64, error) {
	s, err := perf.NewStepper(w)
	if err != nil {
		return 0, err
	}
	if _, err := s.Run(length / 4); err != nil {
		return 0, err
	}
	steps, err := s.Run(length)
	return 1e3 * steps.Took.Seconds() / float64(max(steps.Count, 1)), err
}
