package commands

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/finetune/metric"
	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/train"
)

func finetuneCommand() *cli.Command {
	return &cli.Command{
		Name:  "finetune",
		Usage: "train a trained model for a task with labels",
		Description: "The configuration is a YAML file or a preset with a finetune section: " + strings.Join(configs.Finetuning(), ", ") + ".\n" +
			"The files have a row per example: TSV, CSV or JSON lines, gzipped too, or for tagging a token per line.\n" +
			"Columns are found by well-known names; else name them, by the header's names or by position from 1.\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags: append(finetuneFlags(),
			seedsFlag("fine-tune `N` times, with seeds that follow on one another, and give mean and deviation", 1),
			newRunFlag(),
			resumeFlag(),
			verboseFlag(),
			formatFlag(),
		),
		Action: startOrResume(startFinetune, resumeFinetune),
	}
}

// startFinetune fine-tunes for each of the seeds.
func startFinetune(c *cli.Context) error {
	out := narration(c)
	seeds := c.Int("seeds")
	if seeds > 1 && c.IsSet("run") {
		return usageError{fmt.Errorf("--seeds is %d: with --run there is one", seeds)}
	}
	cfg, base, source, err := finetuneConfig(c)
	if err != nil {
		return err
	}
	printConfiguration(out, 18, source, &base, &cfg)
	if cfg.Train, err = forProcesses(out, cfg.Train); err != nil {
		return err
	}
	examples, setup, err := finetune.Load(cfg.Finetune, nil)
	if err != nil {
		return err
	}
	for _, note := range examples.Notes {
		fmt.Fprintln(terminal.Prose(out), "examples:", note)
	}
	from, err := run.OpenStartingPoint(cfg, examples)
	if err != nil {
		return err
	}
	var scores []float64
	var set string
	for i := range seeds {
		mine := cfg
		mine.Train.Seed += uint64(i)
		f, err := run.Finetune(mine, run.FinetuneOptions{
			Dir: c.String("run"), Name: c.String("config"), Examples: examples, Setup: setup, StartingPoint: from,
		})
		if err != nil {
			return err
		}
		if i == 0 {
			if err := describeFinetuning(c, f); err != nil {
				return err
			}
		}
		if seeds > 1 {
			fmt.Fprintf(out, "seed %d (%d of %d): %s\n", mine.Train.Seed, i+1, seeds, f.Dir)
		}
		result, err := runFinetuning(c, f, seeds > 1)
		if err != nil {
			return err
		}
		name, e := result.Final()
		scores, set = append(scores, e.Score()), fmt.Sprintf("%s on the %s set", e.Metric, name)
	}
	if seeds > 1 {
		mean, deviation := metric.MeanDeviation(scores)
		fmt.Fprintf(out, "\n%s, %d seeds: %.4f ± %.4f (mean ± standard deviation)\n", set, seeds, mean, deviation)
	}
	return nil
}

// describeFinetuning prints what a fine-tuning is about to do.
func describeFinetuning(c *cli.Context, f *run.Finetuning) error {
	out := terminal.Prose(narration(c))
	if c.Bool("verbose") {
		text, err := f.Config.Marshal()
		if err != nil {
			return err
		}
		found, err := configs.Encode(map[string]any{configs.FoundKey: f.Found})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s%s\n", text, found)
	}
	for _, note := range f.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	fmt.Fprintf(out, "run folder:     %s\nstarts from:    %s\n", f.Dir, f.StartingPoint)
	if classes := f.Found.Examples.Classes; len(classes) > 0 {
		fmt.Fprintf(out, "labels:         %s\n", terminal.Fit(strings.Join(classes, ", "), 200))
	}
	f.Session.Describe(out)
	return nil
}

// resumeFinetune goes on with a fine-tuning.
func resumeFinetune(c *cli.Context) error {
	if err := ownConfiguration(c, "set", "epochs", "lambda", "ngrams", "format"); err != nil {
		return err
	}
	settings := c.StringSlice("set")
	for _, flag := range []string{"epochs", "lambda", "ngrams"} {
		if c.IsSet(flag) {
			settings = append(settings, fmt.Sprintf("finetune.%s=%v", flag, c.Value(flag)))
		}
	}
	f, err := run.ResumeFinetuning(c.String("run"), settings...)
	if err != nil {
		return err
	}
	describeProcesses(narration(c))
	if err := f.Session.Train.CheckPeers(peers()); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", f.Dir, err)
	}
	fmt.Fprintf(narration(c), "resuming %s at step %d of %d\n", f.Dir, f.First, f.Session.Train.Steps)
	for _, note := range f.Notes {
		fmt.Fprintln(terminal.Prose(narration(c)), "note:", note)
	}
	_, err = runFinetuning(c, f, false)
	return err
}

// runFinetuning fine-tunes on the terminal and shows what is reached.
func runFinetuning(c *cli.Context, f *run.Finetuning, brief bool) (finetune.Result, error) {
	defer f.Close()
	f.Team = team
	out, s := narration(c), f.Session
	s.Report, f.AdaptReport = newTrainReport(out), newTrainReport(out)
	stages := terminal.NewStages(c.App.ErrWriter)
	s.Fitting = func(done, total int) { stages.Show("fitting n-grams", done, total) }
	settleMemory()
	ctx, stop := interruptible(c)
	defer stop()
	result, err := f.Train(ctx)
	stages.Clear()
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(out, "stopped after step %d; saved in %s\n", result.State.Step, s.Dir)
		if f.Resumable() {
			fmt.Fprintf(out, "go on with: %s\n", command("finetune", "--resume", "--run", s.Dir))
		} else {
			fmt.Fprintln(out, "its examples came through a pipe and can't be read again: keep them in a file to be able to resume")
		}
		return result, err
	}
	if err != nil {
		return result, err
	}
	if wantsJSON(c) {
		return result, printJSON(c, struct {
			Run     string  `json:"run"`
			Seconds float64 `json:"seconds"`
			finetune.Results
		}{s.Dir, result.State.Elapsed.Seconds(), s.Results(result)})
	}
	if name, e := result.Final(); brief {
		fmt.Fprintf(out, "%s set: %s\n", name, e)
		return result, nil
	}
	s.Show(terminal.Prose(out), result)
	writeLeftOut(out, result.State)
	fmt.Fprintf(out, "predict with: %s\n", command("classify", "--run", s.Dir))
	return result, nil
}
