package commands

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/study/scaling/ladder"
	"tinygpt/train"
)

func scalingRunCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "train models of growing size on the same text, and predict the largest from the smaller ones",
		Description: `The models have GPT-2's proportions of depth and width, scaled down. Their losses are fitted by
L(N) = E + (Nc/N)^α; tables, pictures and each model's run are left in a folder. The same
command goes on where it was stopped.`,
		Flags: []cli.Flag{
			choice("preset", strings.Join(ladder.Presets(), " (minutes) or ")+" (a night)", ladder.Presets()[0], ladder.Presets()...),
			&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "train on `FILE`, folder or glob instead of the built-in stories (repeatable)"},
			encodingFlag(),
			&cli.IntSliceFlag{Name: "layers", Usage: "the models, by their layers, from small to large", DefaultText: "the preset's"},
			&cli.IntFlag{Name: "tokens", Usage: "that each model sees", DefaultText: "the preset's"},
			seedsFlag("train each model `N` times", 1),
			setFlag("change a setting of all models", "train.seed=2"),
			&cli.StringFlag{Name: "to", Usage: "`FOLDER` of the results", DefaultText: "runs/scaling-PRESET"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			asJSON := wantsJSON(c)
			l, err := ladderOf(c)
			if err != nil {
				return err
			}
			results, err := climb(c, l)
			if err != nil {
				return err
			}
			a, err := ladder.Analyse(results, l.Floor())
			if err != nil {
				return err
			}
			pictures, err := a.Write(l.Dir)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c, a)
			}
			fmt.Fprintf(c.App.Writer, "\n%s\npictures (PNG too): %s\n", a.Text(), strings.Join(pictures, ", "))
			return nil
		},
	}
}

// climb trains the models of a ladder on the terminal.
func climb(c *cli.Context, l *ladder.Ladder) ([]ladder.Result, error) {
	out := narration(c)
	ctx, stop := interruptible(c)
	defer stop()
	fmt.Fprintf(out, "%d models, %s to %s, each of %s tokens, into %s\n", len(l.Rungs()), l.Shapes[0], l.Shapes[len(l.Shapes)-1], number.Thousands(l.Tokens()), l.Dir)
	p := terminal.NewStages(c.App.ErrWriter)
	defer p.Clear()
	l.Learning, l.Report = learning(p), ladder.NewReport(out)
	results, err := l.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		p.Clear()
		fmt.Fprintf(out, "stopped; what is trained so far is in %s: the same command goes on\n", l.Dir)
	}
	return results, err
}

// ladderOf is the ladder that the flags ask for.
func ladderOf(c *cli.Context) (*ladder.Ladder, error) {
	l, err := ladder.New(c.String("preset"))
	if err != nil {
		return nil, usageError{err}
	}
	config := l.Config
	if files := c.StringSlice("data"); len(files) > 0 {
		config.Data.Files, config.Data.StoriesBytes = files, 0
	}
	if c.IsSet("encoding") {
		config.Data.Encoding = c.String("encoding")
	}
	if err := set(c, &config); err != nil {
		return nil, err
	}
	l.Config = config
	if c.IsSet("layers") {
		if err := l.SetLayers(c.IntSlice("layers")); err != nil {
			return nil, usageError{fmt.Errorf("--layers: %w", err)}
		}
	}
	if c.IsSet("tokens") {
		if c.Int("tokens") < 1 {
			return nil, usageError{fmt.Errorf("--tokens %d: expected 1 or more", c.Int("tokens"))}
		}
		l.SetTokens(c.Int("tokens"))
	}
	l.Seeds = c.Int("seeds")
	if l.Dir = c.String("to"); l.Dir == "" {
		l.Dir = filepath.Join(run.Root, "scaling-"+c.String("preset"))
	}
	if err := l.Config.Validate(); err != nil {
		return nil, fmt.Errorf("configuration of the ladder: %w", err)
	}
	return l, nil
}
