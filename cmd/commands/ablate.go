package commands

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/finetune"
	"tinygpt/internal/number"
	"tinygpt/internal/suggest"
	"tinygpt/run"
	"tinygpt/study/ablation"
	"tinygpt/train"
)

func ablateCommand() *cli.Command {
	return &cli.Command{
		Name:  "ablate",
		Usage: "show what pre-training is for: fine-tune with parts left out, on few and many examples",
		Description: `Compared are fine-tuning with and without the language model's loss and the same model without
pre-training, as in table 5 of the GPT-1 paper, logistic regression over n-grams, and the first of
them together with n-grams, each on the same examples. Results are kept one by one: the same command goes on where it was stopped.`,
		// What an ablation varies by itself has no flag.
		Flags: append(slices.DeleteFunc(finetuneFlags(), func(f cli.Flag) bool { return slices.Contains([]string{"examples", "scratch", "ngrams"}, f.Names()[0]) }),
			&cli.IntSliceFlag{Name: "sizes", Usage: "numbers of training examples, in addition to all", Value: cli.NewIntSlice(100, 300, 1000)},
			seedsFlag("repeat each `N` times", 3),
			armsFlag(),
			&cli.BoolFlag{Name: "averaged", Usage: "compare with averaged word vectors too, as in fastText"},
			&cli.StringFlag{Name: "to", Usage: "`FOLDER` of the results", DefaultText: "runs/NAME-ablation"},
			formatFlag(),
		),
		Action: func(c *cli.Context) error {
			asJSON := wantsJSON(c)
			cfg, base, source, err := finetuneConfig(c)
			if err != nil {
				return err
			}
			out := narration(c)
			printConfiguration(out, 15, source, &base, &cfg)
			examples, setup, err := finetune.Load(cfg.Finetune, nil)
			if err != nil {
				return err
			}
			// The run is looked up once: a later one must not take its place.
			from, err := run.Open(cfg.Finetune.From)
			if err != nil {
				return fmt.Errorf("the run to start from: %w", err)
			}
			cfg.Finetune.From, _ = filepath.Abs(from.Dir)
			s := &ablation.Study{
				Config: cfg, Examples: examples, Setup: setup, Sizes: ablation.Sizes(c.IntSlice("sizes"), len(examples.Train)), Seeds: c.Int("seeds"), Only: c.StringSlice("arm"), Averaged: c.Bool("averaged"), Dir: c.String("to"),
				Done: func(p ablation.Point, done, all int) {
					fmt.Fprintf(out, "%d of %d: %s, %s examples, seed %d: %s %.4f (%s)\n", done, all, p.Arm, number.Thousands(p.Examples), p.Seed,
						p.Metric, p.Score, number.Short(time.Duration(p.Seconds*float64(time.Second))))
				},
			}
			if s.Dir == "" {
				s.Dir = resultsFolder(c, "ablation")
			}
			fmt.Fprintf(out, "from %s, into %s\n", cfg.Finetune.From, s.Dir)
			ctx, stop := interruptible(c)
			defer stop()
			if err := s.Run(ctx); errors.Is(err, train.ErrInterrupted) {
				fmt.Fprintf(out, "stopped; the results so far are in %s: the same command goes on\n", s.Dir)
				return err
			} else if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c, s.Points())
			}
			fmt.Fprintf(out, "\n%s\npicture: %s\n", s.Table(), s.Picture())
			return nil
		},
	}
}

// armsFlag leaves arms out.
func armsFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "arm", Usage: "fit only the `ARM` " + strings.Join(ablation.Keys, ", ") + " (repeatable)", DefaultText: "all", Action: func(_ *cli.Context, found []string) error {
		for _, a := range found {
			if !slices.Contains(ablation.Keys, a) {
				return usageError{fmt.Errorf("--arm is %q: %s", a, suggest.Expected(a, ablation.Keys...))}
			}
		}
		return nil
	}}
}
