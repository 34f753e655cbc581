package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/embedding"
	"tinygpt/embedding/transfer"
	"tinygpt/internal/suggest"
	"tinygpt/internal/terminal"
	"tinygpt/internal/userfile"
)

func vectorsNERCommand() *cli.Command {
	return &cli.Command{
		Name:  "ner",
		Usage: "find names in sentences: what vectors carry over to a few labelled ones",
		Description: `A small classifier looks at a window of words and says which are names, starting from random vectors, from the
given ones, frozen, and from the given ones, tuned on. Files are in CoNLL's form: a word and its tag a line. A single
--data is divided in its order: 70 % to learn from, 10 % to choose the epoch by, 20 % to measure on.`,
		Flags: append(fromFlags(),
			&cli.StringFlag{Name: "data", Aliases: []string{"d"}, Usage: "labelled sentences in `FILE`, to be divided; stories is those of the built-in stories"},
			&cli.StringFlag{Name: "train", Usage: "labelled sentences in `FILE` to learn from, with --dev and --test"},
			&cli.StringFlag{Name: "dev", Usage: "those in `FILE` to choose the epoch by"},
			&cli.StringFlag{Name: "test", Usage: "those in `FILE` to measure on"},
			encodingFlag(),
			configFlag("the classifier's settings, section ner of YAML `FILE`", "", "vectors ner"),
			setFlag("change a setting", "ner.crf=false"),
			&cli.StringSliceFlag{Name: "start", Usage: "random, frozen or tuned (repeatable)", DefaultText: "all three"},
			seedsFlag("train each classifier `N` times", 3),
			&cli.BoolFlag{Name: "ablate", Usage: "leave out each part of the classifier in turn, of the last start"},
			&cli.StringFlag{Name: "to", Usage: "train on fewer sentences too, and draw F1 against them to `FILE`, .svg or .png"},
			formatFlag(),
		),
		Action: vectorsNER,
	}
}

// nameTrials are the classifiers that a command trains.
type nameTrials struct {
	config  transfer.Config
	starts  []transfer.Start
	seeds   int
	vectors *embedding.Vectors
	sets    transfer.Sets
	out     io.Writer
	result  func(transfer.Trial) error // prints a trial as JSON; nil: tables are printed
	bar     *terminal.Stages
	done    []transfer.Trial
}

func vectorsNER(c *cli.Context) error {
	t := &nameTrials{config: transfer.Default(), starts: transfer.Starts, seeds: c.Int("seeds"), out: c.App.Writer, bar: terminal.NewStages(c.App.ErrWriter)}
	if wantsJSON(c) {
		t.result = func(trial transfer.Trial) error { return printJSON(c, trial) }
	}
	err := pictureName(c.String("to")) // before work that takes long
	if err != nil {
		return err
	}
	if err := t.configure(c); err != nil {
		return err
	}
	if t.sets, err = nameSets(c); err != nil {
		return err
	}
	if t.vectors, err = readVectors(c); err != nil {
		return err
	}
	ctx, stop := interruptible(c)
	defer stop()
	err = t.run(ctx, c)
	t.bar.Clear()
	return interrupted(err)
}

// configure reads the settings.
func (t *nameTrials) configure(c *cli.Context) error {
	file := transfer.File{NER: t.config}
	if path := c.String("config"); path != "" {
		text, err := userfile.Read(path)
		if err != nil {
			return err
		}
		if err := configs.Decode(text, path, &file); err != nil {
			return err
		}
	}
	if err := set(c, &file); err != nil {
		return err
	}
	t.config = file.NER
	if err := t.config.Validate(); err != nil {
		return fmt.Errorf("ner.%w", err)
	}
	if given := c.StringSlice("start"); len(given) > 0 {
		t.starts = nil
		for _, name := range given {
			if !slices.Contains(transfer.Starts, transfer.Start(name)) {
				return usageError{fmt.Errorf("--start is %q: %s", name, suggest.Expected(transfer.Start(name), transfer.Starts...))}
			}
			t.starts = append(t.starts, transfer.Start(name))
		}
	}
	return nil
}

// nameSets reads the sentences.
func nameSets(c *cli.Context) (s transfer.Sets, err error) {
	o, err := readOptions(c)
	if err != nil {
		return s, err
	}
	apart := c.IsSet("train") || c.IsSet("dev") || c.IsSet("test")
	switch {
	case apart && c.IsSet("data"):
		return s, usageError{errors.New("either --data, to be divided, or --train, --dev and --test")}
	case storiesNamed(c.String("data")) != nil:
		return transfer.Stories(storiesNamed(c.String("data")))
	case c.IsSet("data"):
		all, err := transfer.Read(c.String("data"), o)
		if err != nil {
			return s, err
		}
		return transfer.Split(all)
	case !(c.IsSet("train") && c.IsSet("dev") && c.IsSet("test")):
		return s, usageError{errors.New("no labelled sentences: add --data FILE, or --train, --dev and --test")}
	}
	for flag, set := range map[string]*[]transfer.Sentence{"train": &s.Train, "dev": &s.Dev, "test": &s.Test} {
		if *set, err = transfer.Read(c.String(flag), o); err != nil {
			return s, err
		}
	}
	return s, nil
}

// run trains the classifiers and prints what they reached.
func (t *nameTrials) run(ctx context.Context, c *cli.Context) error {
	all, plain := len(t.sets.Train), transfer.Variant{Config: t.config}
	if t.result == nil {
		fmt.Fprintf(t.out, "sentences: %d to learn from, %d to choose by, %d to measure on\n", all, len(t.sets.Dev), len(t.sets.Test))
	}
	for _, start := range t.starts {
		if err := t.try(ctx, plain, start, all); err != nil {
			return err
		}
	}
	t.printStarts(all)
	if c.Bool("ablate") {
		last := t.starts[len(t.starts)-1]
		variants := transfer.Ablations(t.config)
		for _, v := range variants {
			if err := t.try(ctx, v, last, all); err != nil {
				return err
			}
		}
		t.printAblations(last, variants, all)
	}
	path := c.String("to")
	if path == "" {
		return nil
	}
	for _, n := range transfer.Amounts(all) {
		for _, start := range t.starts {
			if n < all {
				if err := t.try(ctx, plain, start, n); err != nil {
					return err
				}
			}
		}
	}
	if err := transfer.DrawCurve(path, t.done); err != nil {
		return err
	}
	t.printCurve(path, all)
	return nil
}

// try trains a classifier once for each seed.
func (t *nameTrials) try(ctx context.Context, v transfer.Variant, start transfer.Start, n int) error {
	what := string(start)
	if v.Name != "" {
		what += ", " + v.Name
	}
	for seed := range t.seeds {
		stage := fmt.Sprintf("%s, %d sentences, seed %d", what, n, seed+1)
		trial, err := transfer.Try(ctx, v, start, t.vectors, t.sets, n, uint64(seed+1), func(epoch int, _, _ float64) {
			t.bar.Show(stage, epoch, v.Config.Epochs)
		})
		if err != nil {
			return err
		}
		t.done = append(t.done, trial)
		if t.result != nil {
			if err := t.result(trial); err != nil {
				return err
			}
		}
	}
	return nil
}

// f1 is a score of trials' test sentences in percent, as mean ± deviation over seeds.
func f1(trials []transfer.Trial, f func(transfer.Score) float64) string {
	mean, deviation := transfer.Mean(trials, func(x transfer.Trial) float64 { return 100 * f(x.Test) })
	if len(trials) < 2 {
		return fmt.Sprintf("%.1f", mean)
	}
	return fmt.Sprintf("%.1f ± %.1f", mean, deviation)
}

func allNames(s transfer.Score) float64 { return s.All.F1() }

// print prints a table, unless the result is JSON.
func (t *nameTrials) print(title string, f terminal.Framed) {
	if t.result != nil {
		return
	}
	t.bar.Clear()
	fmt.Fprintf(t.out, "%s:\n%s", title, f.Text(terminal.Width(t.out)))
}

// numbers says that the columns of a table after its first are numbers.
func numbers(column int) bool { return column > 0 }

func (t *nameTrials) printStarts(all int) {
	var kinds []string
	for _, trial := range t.done {
		for _, k := range trial.Test.Kinds() {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	slices.Sort(kinds)
	f := terminal.Framed{Right: numbers}
	f.Row(append([]string{"vectors", "development", "all names"}, kinds...)...)
	for _, start := range t.starts {
		trials := transfer.Select(t.done, start, "", all)
		dev, _ := transfer.Mean(trials, func(x transfer.Trial) float64 { return 100 * x.Dev.All.F1() })
		row := []string{string(start), fmt.Sprintf("%.1f", dev), f1(trials, allNames)}
		for _, k := range kinds {
			row = append(row, f1(trials, func(s transfer.Score) float64 { return s.Types[k].F1() }))
		}
		f.Row(row...)
	}
	t.print(fmt.Sprintf("entity F1, %%, of the test sentences (seeds: %d)", t.seeds), f)
}

func (t *nameTrials) printAblations(start transfer.Start, variants []transfer.Variant, all int) {
	whole := transfer.Select(t.done, start, "", all)
	base, _ := transfer.Mean(whole, func(x transfer.Trial) float64 { return 100 * x.Test.All.F1() })
	f := terminal.Framed{Right: numbers}
	f.Row("", "all names", "change")
	f.Row("the whole classifier", f1(whole, allNames), "")
	for _, v := range variants {
		trials := transfer.Select(t.done, start, v.Name, all)
		mean, _ := transfer.Mean(trials, func(x transfer.Trial) float64 { return 100 * x.Test.All.F1() })
		f.Row(v.Name, f1(trials, allNames), fmt.Sprintf("%+.1f", mean-base))
	}
	t.print(fmt.Sprintf("parts of the classifier, %s vectors", start), f)
}

func (t *nameTrials) printCurve(path string, all int) {
	head := []string{"labelled sentences"}
	for _, start := range t.starts {
		head = append(head, string(start))
	}
	f := terminal.Framed{Right: func(int) bool { return true }}
	f.Row(head...)
	for _, n := range transfer.Amounts(all) {
		row := []string{strconv.Itoa(n)}
		for _, start := range t.starts {
			row = append(row, f1(transfer.Select(t.done, start, "", n), allNames))
		}
		f.Row(row...)
	}
	t.print("entity F1, %, by how many sentences are labelled", f)
	if t.result == nil {
		fmt.Fprintf(t.out, "wrote %s\n", path)
	}
}
