package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/study/perf"
)

//go:embed peers/nanogpt.py
var nanogptPy []byte

// lossTable compares how long whole processes take to reach a validation loss.
type lossTable struct {
	Machine perf.Machine `json:"machine"`
	Target  float64      `json:"target"`
	Text    string       `json:"text"`
	Rows    []lossRow    `json:"rows"` // the first is this program
}

// lossRow holds one program's runs, one for each seed.
type lossRow struct {
	Name    string      `json:"name"`
	Setting string      `json:"setting"`
	Runs    []lossRun   `json:"runs"`
	Seconds perf.Spread `json:"seconds"`
	// Ratio is its time divided by ours for the same seed.
	Ratio perf.Spread `json:"ratio"`
}

// lossRun is one process, from its start to the evaluation that reached the target.
type lossRun struct {
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"loss"`
	Step    int     `json:"step"`
	// Reached is false if the run ended above the target.
	Reached bool `json:"reached"`
}

// oursFastest lists the settings that reach the target soonest. One narrow layer is enough for
// a loss of 1.88, and a small model learns with a higher rate than nanoGPT's can. Samples and
// checkpoints in between are left out, as nanogpt.py leaves them out.
var oursFastest = []string{
	"model.layers=1", "model.width=64", "train.steps=1400", "train.learning_rate=9e-3",
	"train.rate_factors={tables: 2, vectors: 2}", "train.min_learning_rate=0", "train.warmup_steps=50",
	"train.eval_interval=0", "train.sample_interval=0", "train.checkpoint_interval=0",
}

func timeToLossCommand() *cli.Command {
	return &cli.Command{
		Name:  "time-to-loss",
		Usage: "whole processes to a validation loss, compared with nanoGPT's configuration for CPUs on PyTorch",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "text", Usage: "train on `FILE`, by characters (tinyshakespeare)", Required: true},
			&cli.StringSliceFlag{Name: "python", Usage: "`INTERPRETER` with PyTorch (repeatable)"},
			&cli.StringFlag{Name: "config", Usage: "`FILE` or preset that this program trains with", Value: "shakespeare.yaml"},
			&cli.StringSliceFlag{Name: "set", Usage: "change a setting of it, as in --set `train.steps=900` (repeatable)", Value: cli.NewStringSlice(oursFastest...)},
			&cli.Float64Flag{Name: "target", Usage: "validation loss in nats per character", Value: 1.88},
			&cli.IntFlag{Name: "seeds", Usage: "runs of each", Value: 3},
			&cli.IntFlag{Name: "seed", Usage: "of the first run", Value: 1},
			&cli.IntFlag{Name: "threads", Usage: "of everybody; 0: as many as cores"},
			&cli.StringFlag{Name: "settings", Usage: "remember the fastest settings in `FILE`"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON instead of a table"},
		},
		Action: timeToLoss,
	}
}

func timeToLoss(c *cli.Context) error {
	text, err := filepath.Abs(c.String("text"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(text); err != nil {
		return fmt.Errorf("--text: %w", err)
	}
	if c.Int("seeds") < 1 {
		return fmt.Errorf("--seeds is %d: expected 1 or more", c.Int("seeds"))
	}
	t := lossTable{Machine: perf.ThisMachine(), Target: c.Float64("target"), Text: filepath.Base(text)}
	if n := c.Int("threads"); n > 0 {
		t.Machine.Threads = n
	}
	memory, err := newMemory(c.String("settings"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	runners, err := t.runners(c, dir, text, memory)
	if err != nil {
		return err
	}
	for seed := c.Int("seed"); seed < c.Int("seed")+c.Int("seeds"); seed++ {
		for i, run := range runners {
			got, err := run(c.Context, seed)
			if err != nil {
				return keep(c, err, t.summarise(), &t, t.markdown)
			}
			say("%s, seed %d: %.4f at step %d after %.1f s", t.Rows[i].Name, seed, got.Loss, got.Step, got.Seconds)
			t.Rows[i].Runs = append(t.Rows[i].Runs, got)
		}
	}
	return keep(c, nil, t.summarise(), &t, t.markdown)
}

// summarise fills in the spreads of the seeds that every program has been run with, and says
// whether there is one.
func (t *lossTable) summarise() bool {
	seeds := len(t.Rows[len(t.Rows)-1].Runs) // the last one to run
	for i := range t.Rows {
		r := &t.Rows[i]
		r.Runs = r.Runs[:seeds]
		r.Seconds, r.Ratio = perf.SpreadOf(r.seconds()), perf.SpreadOf(perf.Ratios(r.seconds(), t.Rows[0].seconds()))
	}
	return seeds > 0
}

func (r lossRow) seconds() (list []float64) {
	for _, run := range r.Runs {
		list = append(list, run.Seconds)
	}
	return list
}

// runner makes a whole training run.
type runner func(ctx context.Context, seed int) (lossRun, error)

// runners builds this program, finds PyTorch's fastest settings, and adds a row
// for each.
func (t *lossTable) runners(c *cli.Context, dir, text string, m *memory) ([]runner, error) {
	gpt, err := buildGPT(c.Context, dir)
	if err != nil {
		return nil, err
	}
	words := append([]string{c.String("config")}, c.StringSlice("set")...)
	t.Rows = []lossRow{{Name: "this program", Setting: strings.Join(words, " ")}}
	list := []runner{func(ctx context.Context, seed int) (lossRun, error) {
		args := []string{"train", "--config", c.String("config"), "--data", text, "--run", filepath.Join(dir, fmt.Sprintf("run-%d", seed)), "--set", fmt.Sprintf("train.seed=%d", seed)}
		for _, s := range c.StringSlice("set") {
			args = append(args, "--set", s)
		}
		return runTo(t.Target, oursEvaluation, command(ctx, gpt, args...), fmt.Sprintf("GOMAXPROCS=%d", t.Machine.Threads))
	}}
	script := filepath.Join(dir, "nanogpt.py")
	if err := os.WriteFile(script, nanogptPy, 0o600); err != nil {
		return nil, err
	}
	for _, python := range c.StringSlice("python") {
		p, err := newPyTorch(c.Context, dir, python, t.Machine.Threads)
		if err != nil {
			return nil, fmt.Errorf("--python %s: %w", python, err)
		}
		best, _, err := p.fastest(c.Context, m, perf.Shakespeare, 2*time.Second)
		if err != nil {
			return nil, err
		}
		train := func(s setting) runner {
			return func(ctx context.Context, seed int) (lossRun, error) {
				return p.train(ctx, script, text, t.Target, s, seed)
			}
		}
		t.Rows = append(t.Rows, lossRow{Name: "nanoGPT's configuration, PyTorch " + p.Version, Setting: best.String()})
		list = append(list, train(best))
		if best.value("compile") != "" { // compiling costs time as well
			eager := best.with(pytorchBase[2])
			t.Rows = append(t.Rows, lossRow{Name: t.Rows[len(t.Rows)-1].Name, Setting: eager.String()})
			list = append(list, train(eager))
		}
	}
	return list, nil
}

// train makes a run of nanogpt.py.
func (p *pytorch) train(ctx context.Context, script, text string, target float64, s setting, seed int) (lossRun, error) {
	argument, err := json.Marshal(map[string]any{
		"text": text, "target": target, "seed": seed, "threads": p.threads,
		"attention": s.value("attention"), "optimiser": s.value("optimiser"), "compile": s.value("compile"),
	})
	if err != nil {
		return lossRun{}, err
	}
	return runTo(target, nanogptEvaluation, command(ctx, p.python, script, string(argument)), append(s.variables(), p.variables()...)...)
}

// evaluation reads step and validation loss from a line of a program's output; false if the
// line isn't an evaluation.
type evaluation func(line string) (step int, loss float64, ok bool)

var evaluated = regexp.MustCompile(`step (\d+): validation loss ([0-9.]+)`)

func oursEvaluation(line string) (int, float64, bool) {
	m := evaluated.FindStringSubmatch(line)
	if m == nil {
		return 0, 0, false
	}
	step, _ := strconv.Atoi(m[1])
	loss, err := strconv.ParseFloat(m[2], 64)
	return step, loss, err == nil
}

func nanogptEvaluation(line string) (int, float64, bool) {
	var e struct {
		Step int
		Loss *float64
	}
	if json.Unmarshal([]byte(line), &e) != nil || e.Loss == nil {
		return 0, 0, false
	}
	return e.Step, *e.Loss, true
}

// runTo starts a program and takes the time until it writes an evaluation at the target or
// below, or else its last one.
func runTo(target float64, read evaluation, run *exec.Cmd, variables ...string) (got lossRun, err error) {
	run.Env = append(environment(), variables...)
	var errs strings.Builder
	run.Stderr = &errs
	out, err := run.StdoutPipe()
	if err != nil {
		return got, err
	}
	began := time.Now()
	if err := run.Start(); err != nil {
		return got, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		step, loss, ok := read(lines.Text())
		if !ok {
			continue
		}
		got = lossRun{time.Since(began).Seconds(), loss, step, loss <= target}
		if got.Reached {
			kill(run.Process)
			run.Wait()
			return got, nil
		}
	}
	if err := run.Wait(); err != nil {
		return got, fmt.Errorf("%s: %w\n%s", run.Path, err, errs.String())
	}
	if got.Seconds == 0 {
		return got, fmt.Errorf("%s wrote no validation loss", run.Path)
	}
	return got, nil
}

func (t *lossTable) markdown(w io.Writer) error {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	p("%s; %s by characters to a validation loss of %.2f, whole processes; medians of %d seeds.\n", t.Machine, t.Text, t.Target, len(t.Rows[0].Runs))
	p("| | seconds (min–max) | its time by ours | step and loss | setting |")
	p("|---|---|---|---|---|")
	for _, r := range t.Rows {
		var ends []string
		for _, run := range r.Runs {
			end := fmt.Sprintf("%d: %.3f", run.Step, run.Loss)
			if !run.Reached {
				end += " (not reached)"
			}
			ends = append(ends, end)
		}
		p("| %s | %.1f (%.1f–%.1f) | %s | %s | %s |", r.Name, r.Seconds.Median, r.Seconds.Min, r.Seconds.Max, times(r.Ratio), strings.Join(ends, ", "), r.Setting)
	}
	return nil
}
