package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/finetune"
	"tinygpt/run"
	"tinygpt/train"
)

func finetuneCommand() *cli.Command {
	return &cli.Command{
		Name:  "finetune",
		Usage: "train a trained model for a task with labels",
		Description: "The configuration is a YAML file or a preset with a finetune section: " + strings.Join(finetunePresets(), ", ") + ".\n" +
			"The files have a row per example: TSV, CSV or JSON lines, gzipped too, or for tagging a token per line.\n" +
			"Columns are found by well-known names; else name them, by the header's names or by position from 1.\n" +
			"Everything the run makes goes into its folder, runs/NAME-1 unless --run names another.",
		Flags: append(finetuneFlags(),
			&cli.IntFlag{Name: "seeds", Usage: "fine-tune `N` times, with seeds that follow on one another, and give mean and deviation", Value: 1},
			&cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`"},
			&cli.BoolFlag{Name: "resume", Usage: "go on with the fine-tuning (the latest, or --run) from its last checkpoint"},
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.Bool("resume") {
				for _, f := range c.FlagNames() {
					if c.IsSet(f) && f != "resume" && f != "run" {
						return usageError{fmt.Errorf("--resume takes the run's own configuration: leave out --%s", f)}
					}
				}
				return resumeFinetune(c)
			}
			return startFinetune(c)
		},
	}
}

// startFinetune fine-tunes for each of the seeds.
func startFinetune(c *cli.Context) error {
	out := c.App.Writer
	seeds := c.Int("seeds")
	if seeds < 1 || seeds > 1 && c.IsSet("run") {
		return usageError{fmt.Errorf("--seeds is %d: expected 1 or more, and without --run if it is more than 1", seeds)}
	}
	cfg, source, err := finetuneConfig(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "configuration: %s\n", source)
	examples, err := finetune.Load(&cfg.Finetune)
	if err != nil {
		return err
	}
	for _, note := range examples.Notes {
		fmt.Fprintln(out, "examples:", note)
	}
	base, err := run.OpenBase(&cfg, examples)
	if err != nil {
		return err
	}
	first := cfg.Train.Seed
	var scores []float64
	var set string
	for i := range seeds {
		mine := cfg
		mine.Train.Seed = first + uint64(i)
		s, err := base.Session(&mine, examples)
		if err != nil {
			return err
		}
		r, err := run.Create(c.String("run"), c.String("config"), run.Finetuned, mine, base.Tokenizer, nil)
		if err != nil {
			return err
		}
		s.Dir = r.Dir
		if i == 0 {
			text, err := r.Config.Marshal()
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s\nrun folder:     %s\nstarts from:    %s\n", text, r.Dir, base)
			s.Describe(out)
		}
		if seeds > 1 {
			fmt.Fprintf(out, "seed %d (%d of %d): %s\n", mine.Train.Seed, i+1, seeds, s.Dir)
		}
		result, err := runSession(c, s, 0, seeds > 1)
		if err != nil {
			return err
		}
		name, e := result.Judge()
		scores, set = append(scores, e.Score()), fmt.Sprintf("%s on the %s set", e.Metric, name)
	}
	if seeds > 1 {
		mean, deviation := finetune.MeanDeviation(scores)
		fmt.Fprintf(out, "\n%s, %d seeds: %.4f ± %.4f (mean ± standard deviation)\n", set, seeds, mean, deviation)
	}
	return nil
}

// resumeFinetune goes on with a fine-tuning.
func resumeFinetune(c *cli.Context) error {
	dir := c.String("run")
	if dir == "" {
		var err error
		if dir, err = run.Latest(run.Root, run.Finetuned); err != nil {
			return err
		}
	}
	r, err := run.Open(dir)
	if err != nil {
		return err
	}
	if !r.Config.Finetunes() {
		return fmt.Errorf("%s is no fine-tuned run: go on with `gpt train --resume --run %s`", dir, dir)
	}
	cfg := r.Config
	examples, err := finetune.Load(&cfg.Finetune)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	base := &run.Base{Dir: cfg.Finetune.From, Tokenizer: r.Tokenizer}
	if base.Tokenizer, base.Special, err = finetune.Extend(r.Tokenizer); err != nil {
		return err
	}
	s, err := base.Session(&cfg, examples)
	if err != nil {
		return err
	}
	s.Dir = r.Dir
	steps, err := s.Resume()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "resuming %s at step %d of %d\n", r.Dir, steps, s.Train.Steps)
	_, err = runSession(c, s, steps, false)
	return err
}

// runSession runs a session on the terminal and shows what it reached.
func runSession(c *cli.Context, s *finetune.Session, first int, brief bool) (finetune.Result, error) {
	out := c.App.Writer
	s.Report = newTrainReport(out)
	debug.FreeOSMemory()
	debug.SetGCPercent(10)
	ctx, stop := interruptible(c)
	defer stop()
	result, err := s.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(out, "stopped after step %d; saved in %s\ngo on with: %s finetune --resume --run %s\n", result.State.Step, s.Dir, self(), s.Dir)
		return result, err
	}
	if err != nil {
		return result, err
	}
	if err := s.Write(result); err != nil {
		return result, err
	}
	if name, e := result.Judge(); brief {
		fmt.Fprintf(out, "%s set: %s\n", name, e)
		return result, nil
	}
	s.Show(out, result)
	fmt.Fprintf(out, "predict with: %s classify --run %s\n", self(), s.Dir)
	return result, nil
}
