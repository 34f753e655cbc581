package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/atomicfile"
	"tinygpt/study/perf"
	"tinygpt/train"
)

// optimiserRun is a training of small.yaml, with the schedule of its length.
type optimiserRun struct {
	Optimiser string `json:"optimiser"`
	Steps     int    `json:"steps"`
	Seed      int    `json:"seed"`
	// BitsPerByte is the validation loss at the end, Floor what no model can pass.
	BitsPerByte float64 `json:"bits_per_byte"`
	Floor       float64 `json:"floor"`
	// Seconds are those of the processor, of all threads, for the whole process.
	Seconds float64 `json:"cpu_seconds"`
}

// optimiserNames are those compared, in the order in which they take turns.
var optimiserNames = []string{train.AdamWName, train.MuonName}

// tuned returns the rates that were best at that number of steps with one seed, of a few that
// were tried: of matrices, and the factor of all else.
func tuned(optimiser string, steps int) (rate, others float64) {
	switch {
	case optimiser == train.MuonName && steps < 1500:
		return 9e-3, 4. / 3
	case steps < 1500:
		return 4e-3, 2
	}
	return 6e-3, 2
}

func optimisersCommand() *cli.Command {
	return &cli.Command{
		Name:  "optimisers",
		Usage: "small.yaml with AdamW and with Muon, trained for more and more steps: loss and processor time",
		Flags: []cli.Flag{
			&cli.IntSliceFlag{Name: "steps", Usage: "lengths of the training", Value: cli.NewIntSlice(600, 900, 1260, 1776)},
			&cli.IntFlag{Name: "seeds", Usage: "runs of each; 0: show what is in --to", Value: 5},
			&cli.IntFlag{Name: "threads", Usage: "of a run", Value: 1},
			&cli.StringFlag{Name: "to", Usage: "keep what was measured in `FILE`, and don't measure again what is there", Value: "optimisers.jsonl"},
			&cli.StringFlag{Name: "plot", Usage: "draw `FILE` (.svg or .png)", Value: "optimisers.svg"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON instead of a table"},
		},
		Action: compareOptimisers,
	}
}

func compareOptimisers(c *cli.Context) error {
	if ext := filepath.Ext(c.String("plot")); ext != ".svg" && ext != ".png" {
		return fmt.Errorf("--plot %s: expected a name that ends in .svg or .png", c.String("plot"))
	}
	switch {
	case c.Int("seeds") < 0:
		return fmt.Errorf("--seeds is %d: expected 0 or more", c.Int("seeds"))
	case c.Int("threads") < 1:
		return fmt.Errorf("--threads is %d: expected 1 or more", c.Int("threads"))
	case slices.Min(c.IntSlice("steps")) < 1:
		return fmt.Errorf("--steps %d: expected 1 or more", slices.Min(c.IntSlice("steps")))
	}
	known, to, err := atomicfile.Reopen[optimiserRun](c.String("to"), nil)
	if err != nil {
		return err
	}
	defer to.Close()
	runs := known
	if c.Int("seeds") > 0 {
		runs, err = measureOptimisers(c, known, to)
	}
	means := meansOf(runs)
	return keep(c, err, len(means) > 0, means, func(w io.Writer) error {
		optimisersMarkdown(w, means)
		return plotOptimisers(c.String("plot"), means)
	})
}

// measureOptimisers returns the runs that flags ask for, the first seed's first. Those that
// aren't known are made, and added to a file.
func measureOptimisers(c *cli.Context, known []optimiserRun, to *atomicfile.Lines) (runs []optimiserRun, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	gpt := "" // built when it is needed
	for seed := 1; seed <= c.Int("seeds"); seed++ {
		for _, steps := range c.IntSlice("steps") {
			for _, name := range optimiserNames {
				if i := slices.IndexFunc(known, func(r optimiserRun) bool {
					return r.Optimiser == name && r.Steps == steps && r.Seed == seed
				}); i >= 0 {
					runs = append(runs, known[i])
					continue
				}
				if gpt == "" {
					if gpt, err = buildGPT(c.Context, dir); err != nil {
						return runs, err
					}
				}
				r := optimiserRun{Optimiser: name, Steps: steps, Seed: seed}
				if err := r.measure(c.Context, gpt, filepath.Join(dir, "run"), c.Int("threads")); err != nil {
					return runs, err
				}
				say("%s, %d steps, seed %d: %.4f bits per byte, %.1f s of the processor", name, steps, seed, r.BitsPerByte, r.Seconds)
				runs = append(runs, r)
				if err := to.Add(r); err != nil {
					return runs, err
				}
			}
		}
	}
	return runs, nil
}

// measure trains in a process of its own, in the folder dir, which it removes.
func (r *optimiserRun) measure(ctx context.Context, gpt, dir string, threads int) error {
	defer os.RemoveAll(dir)
	rate, others := tuned(r.Optimiser, r.Steps)
	args := []string{"train", "--config", "small.yaml", "--run", dir}
	for _, s := range []string{
		"train.optimiser=" + r.Optimiser, fmt.Sprintf("train.steps=%d", r.Steps), fmt.Sprintf("train.seed=%d", r.Seed),
		fmt.Sprintf("train.learning_rate=%g", rate), fmt.Sprintf("train.rate_factors={tables: %.4g, vectors: %.4g}", others, others),
		"train.eval_interval=0", "train.sample_interval=0", "train.checkpoint_interval=0",
	} {
		args = append(args, "--set", s)
	}
	run := command(ctx, gpt, args...)
	run.Env = append(environment(), fmt.Sprintf("GOMAXPROCS=%d", threads))
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", run.Args, err, out)
	}
	r.Seconds = (run.ProcessState.UserTime() + run.ProcessState.SystemTime()).Seconds()
	metrics, err := train.ReadMetrics(filepath.Join(dir, train.MetricsFile))
	if err != nil {
		return err
	}
	last := metrics[len(metrics)-1]
	r.BitsPerByte, r.Floor = last.BitsPerByte, last.Floor*last.BitsPerByte/last.ValLoss
	return nil
}

// optimiserMean is what the seeds of a length have come to.
type optimiserMean struct {
	Optimiser   string      `json:"optimiser"`
	Steps       int         `json:"steps"`
	Seeds       int         `json:"seeds"`
	BitsPerByte float64     `json:"mean_bits_per_byte"`
	Range       perf.Spread `json:"bits_per_byte"`
	Seconds     float64     `json:"mean_cpu_seconds"`
	Floor       float64     `json:"floor"`
}

// meansOf returns the means, by optimiser and then by length.
func meansOf(runs []optimiserRun) (list []optimiserMean) {
	for _, name := range optimiserNames {
		lengths := map[int][]optimiserRun{}
		for _, r := range runs {
			if r.Optimiser == name {
				lengths[r.Steps] = append(lengths[r.Steps], r)
			}
		}
		for steps, of := range lengths {
			m := optimiserMean{Optimiser: name, Steps: steps, Seeds: len(of)}
			var bits []float64
			for _, r := range of {
				n := float64(len(of))
				m.BitsPerByte, m.Seconds, m.Floor = m.BitsPerByte+r.BitsPerByte/n, m.Seconds+r.Seconds/n, r.Floor
				bits = append(bits, r.BitsPerByte)
			}
			m.Range = perf.SpreadOf(bits)
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b optimiserMean) int {
		if i, j := slices.Index(optimiserNames, a.Optimiser), slices.Index(optimiserNames, b.Optimiser); i != j {
			return i - j
		}
		return a.Steps - b.Steps
	})
	return list
}

func optimisersMarkdown(w io.Writer, means []optimiserMean) {
	fmt.Fprintf(w, "| optimiser | steps | rate, factor of the rest | seeds | bits per byte (min–max) | processor time |\n|---|---|---|---|---|---|\n")
	for _, m := range means {
		rate, others := tuned(m.Optimiser, m.Steps)
		fmt.Fprintf(w, "| %s | %d | %g, %.2g | %d | %.4f (%.4f–%.4f) | %.0f s |\n", m.Optimiser, m.Steps, rate, others, m.Seeds, m.BitsPerByte, m.Range.Min, m.Range.Max, m.Seconds)
	}
}
