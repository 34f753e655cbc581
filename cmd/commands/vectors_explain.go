package commands

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data/story"
	"tinygpt/embedding/corpus"
	"tinygpt/embedding/explain"
	"tinygpt/embedding/training"
	"tinygpt/internal/suggest"
	"tinygpt/internal/terminal"
)

func vectorsExplainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show in tables how word vectors are trained, on a sentence of yours",
		ArgsUsage: "[SENTENCE]",
		Description: `The parts are onehot, windows, step (an example with its noise words, before and after ten steps), features
(differences of vectors made by hand), noise (P(w) in a text), glove (its matrix and weights).`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "part", Usage: "show `PART` only (repeatable)", DefaultText: "all of them"},
			textsFlag("count words in", "the built-in stories"),
			encodingFlag(),
			&cli.StringFlag{Name: "language", Usage: "of the built-in stories: en or zh; with zh the words of the sentence are apart by spaces", Value: "en"},
			&cli.IntFlag{Name: "window", Usage: "words on each side", Value: 2},
			&cli.IntFlag{Name: "dim", Usage: "numbers of a vector, in the step", Value: 4},
			&cli.IntFlag{Name: "negative", Usage: "noise words, in the step", Value: 3},
			&cli.Float64Flag{Name: "rate", Usage: "learning rate of the step", Value: 0.5},
			&cli.Uint64Flag{Name: "seed", Usage: "of the step's vectors and noise words", Value: 1},
			formatFlag(),
		},
		Action: vectorsExplain,
	}
}

// explanations are the parts by name, in the order of the lecture.
var explanations = []struct {
	name string
	make func(c *cli.Context, sentence []string) ([]explain.Table, error)
}{
	{"onehot", func(_ *cli.Context, sentence []string) ([]explain.Table, error) {
		return []explain.Table{explain.OneHot(sentence)}, nil
	}},
	{"windows", func(c *cli.Context, sentence []string) ([]explain.Table, error) {
		return []explain.Table{explain.Windows(sentence, c.Int("window"))}, nil
	}},
	{"features", func(c *cli.Context, _ []string) ([]explain.Table, error) {
		var names explain.Names
		if c.String("language") == story.Chinese.Name {
			names = explain.Chinese
		}
		return []explain.Table{explain.Features(names), explain.Differences(names)}, nil
	}},
	{"step", explainStep},
	{"noise", func(c *cli.Context, _ []string) ([]explain.Table, error) {
		text, err := explainedText(c)
		if err != nil {
			return nil, err
		}
		v := training.Default().Vectors
		return []explain.Table{explain.Noise(text.Vocabulary, v.NoisePower, v.Sample)}, nil
	}},
	{"glove", func(c *cli.Context, _ []string) ([]explain.Table, error) {
		text, err := explainedText(c)
		if err != nil {
			return nil, err
		}
		v := training.Default().Vectors
		return []explain.Table{explain.Matrix(text, 8, v.Window), explain.Weights(v.XMax, v.Alpha)}, nil
	}},
}

func vectorsExplain(c *cli.Context) error {
	for _, f := range []string{"window", "dim", "negative"} {
		if n := c.Int(f); n < 1 || n > 100 {
			return usageError{fmt.Errorf("--%s is %d: expected 1 to 100", f, n)}
		}
	}
	splitter, usual := "words", "a king is a strong man and a queen is a wise woman"
	if l, err := story.ByName(c.String("language")); err != nil {
		return usageError{fmt.Errorf("--language: %w", err)}
	} else if l == story.Chinese {
		splitter, usual = "spaces", "国王 是 一 个 强壮 的 男人 王后 是 一 个 聪明 的 女人"
	}
	sentence := strings.Join(c.Args().Slice(), " ")
	if sentence == "" {
		sentence = usual
	}
	split, err := corpus.NewSplitter(splitter)
	if err != nil {
		return err
	}
	var words []string
	if err := split([]byte(sentence), func(w []byte) { words = append(words, string(w)) }); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, p := range c.StringSlice("part") {
		wanted[p] = true
	}
	var names []string
	for _, e := range explanations {
		names = append(names, e.name)
	}
	for p := range wanted {
		if !slices.Contains(names, p) {
			return usageError{fmt.Errorf("--part is %q: %s", p, suggest.Expected(p, names...))}
		}
	}
	all := []explain.Table{}
	for _, e := range explanations {
		if len(wanted) > 0 && !wanted[e.name] {
			continue
		}
		tables, err := e.make(c, words)
		if err != nil {
			return err
		}
		all = append(all, tables...)
	}
	if wantsJSON(c) {
		return printJSON(c, all)
	}
	for _, t := range all {
		printTable(c.App.Writer, t)
	}
	return nil
}

func explainStep(c *cli.Context, sentence []string) ([]explain.Table, error) {
	l, err := explain.NewLesson(sentence, c.Int("dim"), c.Int("negative"), c.Float64("rate"), c.Uint64("seed"))
	if err != nil {
		return nil, err
	}
	lookup, err := l.Lookup()
	if err != nil {
		return nil, err
	}
	tables := []explain.Table{lookup, l.Scores("A positive example and its noise words"), l.Step()}
	l.Steps(9)
	return append(tables, l.Scores("The same after ten steps")), nil
}

// explainedText is the text that words are counted in.
func explainedText(c *cli.Context) (*corpus.Text, error) {
	d := training.Default().Data
	d.Files, d.MinCount, d.StoriesLanguage = c.StringSlice("data"), 1, c.String("language")
	if len(d.Files) == 0 {
		d.StoriesBytes = 1_000_000
	}
	o, err := readOptions(c)
	if err != nil {
		return nil, err
	}
	d.Encoding = o.Encoding
	text, _, err := training.ReadText(d, true)
	return text, err
}

func printTable(out io.Writer, t explain.Table) {
	var f terminal.Framed
	f.Row(t.Header...)
	for _, row := range t.Rows {
		f.Row(row...)
	}
	fmt.Fprintf(terminal.Prose(out), "%s\n%s%s\n\n", t.Title, f.Text(terminal.Width(out)), t.Note)
}
