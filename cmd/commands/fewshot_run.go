package commands

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/study/fewshot"
	"tinygpt/study/scaling/ladder"
)

func fewshotRunCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "train models of several sizes on stories and quiz sheets, and ask them all",
		Description: `Tables, pictures, the prompts and each model's run are left in a folder. The same command goes on where
it was stopped.`,
		Flags: append(fewshotFlags(),
			configFlag("what the models have in common, a YAML `FILE` or preset", "fewshot.yaml", "train"),
			&cli.IntSliceFlag{Name: "layers", Usage: "the models, by their layers, from small to large (repeatable)", Value: cli.NewIntSlice(1, 3, 6)},
			seedsFlag("train each model `N` times", 1),
			setFlag("change a setting of all models", "train.steps=4000"),
			&cli.StringFlag{Name: "to", Usage: "`FOLDER` of the results", DefaultText: "runs/NAME-ladder"},
			formatFlag(),
		),
		Action: fewshotRunAction,
	}
}

func fewshotRunAction(c *cli.Context) error {
	m, err := measurementOf(c)
	if err != nil {
		return err
	}
	l, err := fewshotLadder(c)
	if err != nil {
		return err
	}
	results, err := climb(c, l)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(c)
	defer stop()
	m.Tasks = fewshot.BuiltIn()
	layout, err := fewshot.ParseLayout(fewshot.DefaultLayout)
	if err != nil {
		return err
	}
	p := terminal.NewStages(c.App.ErrWriter)
	defer p.Clear()
	var points []fewshot.Point
	for i, result := range results {
		r, err := run.Open(result.Dir)
		if err != nil {
			return err
		}
		trained, _, err := r.Trained("last")
		if err != nil {
			return err
		}
		weights, err := trained.Weights(model.Float32)
		if err != nil {
			return err
		}
		scorer := fewshot.NewScorer(weights, r.Tokenizer, layout, fewshot.PerToken)
		asked := m
		asked.Seed += result.Seed // every seed of the models answers questions of its own
		found := func(q fewshot.Point) {
			q.Model, q.Parameters, q.Seed = result.Shape.String(), result.Parameters, result.Seed
			points = append(points, q)
		}
		if err := asked.Run(ctx, scorer, found, func(done, all int) { p.Show("questions", i*all+done, len(results)*all) }); err != nil {
			return interrupted(err)
		}
		if i == len(results)-1 {
			var prompts bytes.Buffer
			if err := m.Show(ctx, &prompts, scorer); err != nil {
				return interrupted(err)
			}
			if err := atomicfile.WriteFile(filepath.Join(l.Dir, "prompts.txt"), prompts.Bytes()); err != nil {
				return err
			}
		}
	}
	p.Clear()
	s := fewshot.Summarise(points)
	pictures, err := s.Save(l.Dir)
	if err != nil {
		return err
	}
	prompts := filepath.Join(l.Dir, "prompts.txt")
	if wantsJSON(c) {
		return printJSON(c, struct {
			Folder   string          `json:"folder"`
			Points   []fewshot.Point `json:"points"`
			Pictures []string        `json:"pictures"`
			Prompts  string          `json:"prompts"`
		}{l.Dir, s.Points(), pictures, prompts})
	}
	out := c.App.Writer
	fmt.Fprintf(out, "\n%s questions of each task and seed, choices by per-token log-likelihood; ± is two standard errors\n\n", number.Thousands(m.Trials))
	if err := s.Write(out, "text"); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\npictures (PNG too): %s; prompts: %s\n", s.Rises(), strings.Join(pictures, ", "), prompts)
	return nil
}

// fewshotHeadWidth is the columns of a head in the models of fewshot run.
const fewshotHeadWidth = 16

// fewshotLadder is the ladder that the flags ask for.
func fewshotLadder(c *cli.Context) (*ladder.Ladder, error) {
	cfg, _, err := configs.Load(c.String("config"))
	if err != nil {
		return nil, err
	}
	if err := set(c, &cfg); err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.String("config"), err)
	}
	l := &ladder.Ladder{Config: cfg, HeadWidth: fewshotHeadWidth, Dir: c.String("to")}
	if l.Shapes, err = ladder.ShapesAt(c.IntSlice("layers"), l.HeadWidth); err != nil {
		return nil, usageError{fmt.Errorf("--layers: %w", err)}
	}
	l.Seeds = c.Int("seeds")
	if l.Dir == "" {
		l.Dir = resultsFolder(c, "ladder")
	}
	return l, nil
}
