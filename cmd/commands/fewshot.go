package commands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/study/fewshot"
)

func fewshotCommand() *cli.Command {
	return &cli.Command{
		Name:  "fewshot",
		Usage: "ask a trained model with solved examples in the prompt, as GPT-3 was asked",
		Description: `The model answers with the choice that it finds likeliest; no weight changes. Without --task it is asked
what the built-in world is about (train with --config fewshot.yaml); a file holds a task of yours, in lines such as
   {"question": "hot", "choices": ["cold", "warm"], "answer": "cold"}
gpt fewshot run compares models of several sizes.`,
		Flags: append(fewshotFlags(),
			runFlag(),
			checkpointFlag(),
			weightsFlag(""),
			&cli.StringSliceFlag{Name: "task", Aliases: []string{"t"}, Usage: "`TASK` of the built-in world (" + strings.Join(taskNames(), ", ") + ") or a file (repeatable)", DefaultText: "all of the world's"},
			encodingFlag(),
			&cli.StringFlag{Name: "layout", Usage: "how an example is written, `TEXT` with {question} and {answer}; \\n is a line end, \\t a tab", Value: fewshot.DefaultLayout},
			choice("normalise", "compare choices by their log-likelihood per-token, its sum, or less the unconditional one", fewshot.PerToken, fewshot.Normalisations...),
			&cli.BoolFlag{Name: "show", Usage: "show a prompt of each task and number of shots, and what the model makes of it"},
			formatFlag("markdown", "csv"),
			&cli.StringFlag{Name: "to", Usage: "draw the result into `FILE`.svg or .png"},
		),
		Action:      fewshotAction,
		Subcommands: []*cli.Command{fewshotRunCommand()},
	}
}

// fewshotFlags are those of the measurement.
func fewshotFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntSliceFlag{Name: "shots", Usage: "numbers of examples in the prompt, like 0,4", Value: cli.NewIntSlice(0, 1, 4, 16)},
		&cli.IntFlag{Name: "trials", Usage: "ask `N` questions of each task", Value: 400},
		&cli.Uint64Flag{Name: "seed", Usage: "of the questions", Value: 1},
	}
}

func taskNames() (names []string) {
	for _, t := range fewshot.BuiltIn() {
		names = append(names, t.Name())
	}
	return names
}

// The maxima: more shots fit into no model's context, and no error bar needs more
// trials.
const mostShots, mostTrials = 100_000, 1_000_000

// measurementOf reads the flags of fewshotFlags.
func measurementOf(c *cli.Context) (m fewshot.Measurement, err error) {
	for _, n := range c.IntSlice("shots") {
		if n < 0 || n > mostShots {
			return m, usageError{fmt.Errorf("--shots is %d: expected numbers from 0 to %d such as 0,1,4,16", n, mostShots)}
		}
		m.Shots = append(m.Shots, n)
	}
	slices.Sort(m.Shots)
	m.Shots = slices.Compact(m.Shots)
	if m.Trials = c.Int("trials"); m.Trials < 1 || m.Trials > mostTrials {
		return m, usageError{fmt.Errorf("--trials is %d: expected 1 to %d", m.Trials, mostTrials)}
	}
	m.Seed = c.Uint64("seed")
	return m, nil
}

func fewshotAction(c *cli.Context) error {
	m, err := measurementOf(c)
	if err != nil {
		return err
	}
	format, normalisation := c.String("format"), fewshot.Normalisation(c.String("normalise"))
	if err := pictureName(c.String("to")); err != nil {
		return err
	}
	layout, err := fewshot.ParseLayout(data.Clean(unescape(c.String("layout"))))
	if err != nil {
		return usageError{err}
	}
	m.Tasks = fewshot.BuiltIn()
	if names := c.StringSlice("task"); len(names) > 0 {
		m.Tasks = nil
		o, err := readOptions(c)
		if err != nil {
			return err
		}
		for _, name := range names {
			t, err := fewshot.Open(name, o)
			if err != nil {
				return err
			}
			m.Tasks = append(m.Tasks, t)
		}
	}
	r, precision, err := openRun(c)
	if err != nil {
		return err
	}
	weights, err := trainedWeights(c, r, precision)
	if err != nil {
		return err
	}
	scorer := fewshot.NewScorer(weights, r.Tokenizer, layout, normalisation)
	ctx, stop := interruptible(c)
	defer stop()
	out := c.App.Writer
	if c.Bool("show") {
		return interrupted(m.Show(ctx, out, scorer))
	}
	p := terminal.NewStages(c.App.ErrWriter)
	defer p.Clear()
	var points []fewshot.Point
	found := func(q fewshot.Point) {
		q.Model, q.Parameters, q.Seed = r.Dir, r.Config.Model.ParameterCount(), r.Config.Train.Seed
		points = append(points, q)
	}
	if err := m.Run(ctx, scorer, found, func(done, all int) { p.Show("questions", done, all) }); err != nil {
		return interrupted(err)
	}
	p.Clear()
	s := fewshot.Summarise(points)
	if path := c.String("to"); path != "" {
		if err := s.DrawShots(path); err != nil {
			return err
		}
	}
	if wantsJSON(c) {
		return printJSON(c, s.Points())
	}
	if format == "text" {
		fmt.Fprintf(terminal.Prose(out), "model: %s; up to %s questions of each task, choices by %s log-likelihood; ± is two standard errors\n\n", r.Dir, number.Thousands(m.Trials), normalisation)
	}
	return s.Write(out, format)
}

func pictureName(path string) error {
	if path != "" && !strings.HasSuffix(path, ".svg") && !strings.HasSuffix(path, ".png") {
		return usageError{fmt.Errorf("--to is %q: expected a name that ends in .svg or .png", path)}
	}
	return nil
}
