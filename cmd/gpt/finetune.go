package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
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

// finetuneFlags are those that say what is fine-tuned from what.
func finetuneFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "YAML `FILE` or preset", Value: "finetune.yaml"},
		&cli.StringFlag{Name: "data", Aliases: []string{"d"}, Usage: "train on the examples of `FILE`"},
		&cli.StringFlag{Name: "dev", Usage: "stop early by the examples of `FILE`", DefaultText: "a tenth of the training examples"},
		&cli.StringFlag{Name: "test", Usage: "measure the best checkpoint, once, on the examples of `FILE`"},
		&cli.StringFlag{Name: "from", Usage: "start from the weights of the run in `FOLDER`", DefaultText: "the latest run of gpt train"},
		&cli.BoolFlag{Name: "scratch", Usage: "start from random weights, with that run's tokenizer and shape"},
		&cli.StringFlag{Name: "task", Usage: strings.Join(finetune.Tasks(), ", ")},
		&cli.StringFlag{Name: "head", Usage: "classes, or regression if the labels are grades"},
		&cli.StringFlag{Name: "metric", Usage: "the best checkpoint is the one with the highest " + strings.Join(finetune.Metrics, ", "), DefaultText: "what fits the task"},
		&cli.StringSliceFlag{Name: "text", Usage: "`COLUMN` of the text: premise, context, tokens (repeatable: joined)"},
		&cli.StringSliceFlag{Name: "second", Usage: "`COLUMN` of the second text: hypothesis (repeatable: joined)"},
		&cli.StringSliceFlag{Name: "choices", Usage: "`COLUMN` of a choice (repeatable), or of a list of them"},
		&cli.StringFlag{Name: "label", Usage: "`COLUMN` of the label"},
		&cli.IntFlag{Name: "examples", Usage: "train on `N` examples, drawn for the seed", DefaultText: "all"},
		&cli.Float64Flag{Name: "lambda", Usage: "weight of the language model's loss in L2 + λ·L1; 0 leaves it out", DefaultText: "0.5"},
		&cli.IntFlag{Name: "epochs", Usage: "see each example `N` times", DefaultText: "3"},
		&cli.IntFlag{Name: "freeze-layers", Usage: "leave the embeddings and the lower `N` layers as they are; all: a linear probe"},
		&cli.BoolFlag{Name: "freeze-embeddings", Usage: "leave the embeddings as they are"},
		&cli.StringFlag{Name: "truncate", Usage: "where long examples are cut: middle, start or end", DefaultText: "middle"},
		&cli.StringSliceFlag{Name: "set", Usage: "change a setting, as in --set `train.batch_size=16` (repeatable)"},
	}
}

// finetunePresets lists the presets with a task.
func finetunePresets() (out []string) {
	for _, name := range configs.Presets() {
		if c, err := configs.Preset(name); err == nil && c.Finetunes() {
			out = append(out, name)
		}
	}
	return out
}

// finetuneConfig is the configuration that the flags make.
func finetuneConfig(c *cli.Context) (cfg configs.Config, source string, err error) {
	if cfg, source, err = configs.Load(c.String("config")); err != nil {
		return cfg, source, err
	}
	if !cfg.Finetunes() {
		return cfg, source, fmt.Errorf("%s: no finetune section with a task in it: expected one, as the presets %s have it; what a run starts from is named with --from", c.String("config"), strings.Join(finetunePresets(), ", "))
	}
	f := &cfg.Finetune
	for flag, to := range map[string]*string{
		"data": &f.Train, "dev": &f.Dev, "test": &f.Test, "from": &f.From, "task": &f.Task, "head": &f.Head, "metric": &f.Metric, "label": &f.Label, "truncate": &f.Truncate,
	} {
		if c.IsSet(flag) {
			*to = c.String(flag)
		}
	}
	for flag, to := range map[string]*[]string{"text": &f.Text, "second": &f.Second, "choices": &f.Choices} {
		if c.IsSet(flag) {
			*to = c.StringSlice(flag)
		}
	}
	for flag, to := range map[string]*int{"examples": &f.Examples, "epochs": &f.Epochs, "freeze-layers": &f.FreezeLayers} {
		if c.IsSet(flag) {
			*to = c.Int(flag)
		}
	}
	if c.IsSet("lambda") {
		f.Lambda = c.Float64("lambda")
	}
	f.Scratch = f.Scratch || c.Bool("scratch")
	f.FreezeEmbeddings = f.FreezeEmbeddings || c.Bool("freeze-embeddings")
	if c.IsSet("data") {
		f.Stories = ""
	}
	for _, s := range c.StringSlice("set") {
		if err := cfg.Set(s); err != nil {
			return cfg, source, err
		}
	}
	if err := cfg.Validate(); err != nil {
		return cfg, source, fmt.Errorf("%s: %w", c.String("config"), err)
	}
	for _, file := range []*string{&f.Train, &f.Dev, &f.Test} {
		if *file != "" && *file != "-" {
			*file, _ = filepath.Abs(*file)
		}
	}
	return cfg, source, nil
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
		r, err := run.Create(c.String("run"), c.String("config"), mine, base.Tokenizer, nil)
		if err != nil {
			return err
		}
		s.Dir = r.Dir
		if i == 0 {
			if err := describeFinetune(out, r, s, base); err != nil {
				return err
			}
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
		if dir, err = run.Latest(run.Root, true); err != nil {
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
	s.Report = train.NewReport(out, isTerminal(out), first, s.Train.Steps)
	debug.FreeOSMemory()
	debug.SetGCPercent(10)
	// The first signal ends the run after its step; a second one kills, as usual.
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
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
	showResult(out, s, result, brief)
	return result, nil
}

// describeFinetune prints what a fine-tuning is about to do.
func describeFinetune(out io.Writer, r *run.Run, s *finetune.Session, base *run.Base) error {
	text, err := r.Config.Marshal()
	if err != nil {
		return err
	}
	f := s.Config
	from := "random weights"
	switch {
	case base.Dir != "" && base.Model == nil:
		from += ", tokenizer and shape of " + base.Dir
	case base.Dir != "":
		from = base.Dir
	}
	fmt.Fprintf(out, "%s\nrun folder:     %s\n", text, r.Dir)
	fmt.Fprintf(out, "starts from:    %s\n", from)
	test := "no test set"
	if s.TestItems != nil {
		test = train.Thousands(len(s.TestItems)) + " to test"
	}
	fmt.Fprintf(out, "examples:       %s to train on, %s for development, %s\n", train.Thousands(len(s.TrainItems)), train.Thousands(len(s.DevItems)), test)
	cut, all := finetune.Truncated(s.TrainItems), len(s.TrainItems)
	fmt.Fprintf(out, "truncated:      %d of them (%.1f %%) are longer than %d tokens and lose their %s\n", cut, 100*float64(cut)/float64(all), base.Encoder(&r.Config).Context, f.Truncate)
	lengths, padding := s.Buckets()
	fmt.Fprintf(out, "buckets:        sequences of %s tokens; %.0f %% is padding\n", strings.Trim(fmt.Sprint(lengths), "[]"), 100*padding)
	fmt.Fprintf(out, "steps:          %d, the development set is measured every %d\n", s.Train.Steps, s.Train.EvalInterval)
	fmt.Fprintf(out, "memory:         about %s\n", train.Mebibytes(s.Bytes()))
	if f.Lambda == 0 {
		fmt.Fprint(out, "loss:           L2, without the language model's\n\n")
	} else {
		fmt.Fprintf(out, "loss:           L2 + %g·L1\n\n", f.Lambda)
	}
	return nil
}

// showResult prints what a fine-tuning reached; brief is one line.
func showResult(out io.Writer, s *finetune.Session, result finetune.Result, brief bool) {
	name, e := result.Judge()
	if brief {
		fmt.Fprintf(out, "%s set: %s\n", name, e)
		return
	}
	fmt.Fprintf(out, "\ndone: %d steps in %s; the best checkpoint by the development set is that of step %d\n", result.State.Step, train.Short(result.State.Elapsed), result.State.BestStep)
	fmt.Fprintf(out, "development set: %s\n", result.Dev)
	if result.Test != nil {
		fmt.Fprintf(out, "test set:        %s\n", *result.Test)
	}
	if s.Config.Stories != "" {
		fmt.Fprintf(out, "best possible:   accuracy 1: a story's text has one derivation only, which settles the label\n")
	}
	if e.Entities.True > 0 {
		fmt.Fprintf(out, "entities:        precision %.4f, recall %.4f\n", e.Entities.Precision(), e.Entities.Recall())
	}
	if e.Confusion != nil && len(e.Confusion.Classes) <= 12 {
		fmt.Fprintf(out, "\nconfusion on the %s set:\n%s", name, e.Confusion)
	}
	fmt.Fprintf(out, "\nworst of the %s set (more in %s):\n%s", name, filepath.Join(s.Dir, finetune.WorstFile), s.Config.Worst(e, 3))
	fmt.Fprintf(out, "\nresults: %s\npredict with: %s classify --run %s\n", filepath.Join(s.Dir, finetune.ResultsFile), self(), s.Dir)
}
