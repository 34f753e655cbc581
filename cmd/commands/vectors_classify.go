package commands

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/finetune/linear"
	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/study/baseline"
)

func vectorsClassifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "classify",
		Usage: "label texts by the mean of their words' vectors: the simplest classifier there is of them",
		Description: `A text is the mean of its words' vectors, and logistic regression tells its class (ridge regression its grade). Next to
it, the same over n-grams, without vectors. gpt finetune takes the same files: what GPT-1's way makes of them.`,
		Flags: append(append(fromFlags(),
			exampleFlags("learn from the examples of `FILE`", "choose the regularisation by the examples of `FILE`", "measure on the examples of `FILE`")...),
			&cli.StringFlag{Name: "task", Usage: "classification, entailment, similarity, choice or tagging", Value: "classification"},
			&cli.StringFlag{Name: "metric", Usage: "what the regularisation is chosen by", DefaultText: "what fits the task"},
			&cli.IntFlag{Name: "examples", Usage: "learn from `N` examples, drawn", DefaultText: "all"},
			formatFlag(),
		),
		Action: vectorsClassify,
	}
}

// averagesReport is what the two baselines reached.
type averagesReport struct {
	Metric string           `json:"metric"`
	Train  int              `json:"train"`
	Rows   []averagesScores `json:"classifiers"`
}

type averagesScores struct {
	Features string             `json:"features"`
	C        float64            `json:"c"` // the inverse strength of the regularisation
	Dev      map[string]float64 `json:"dev"`
	Test     map[string]float64 `json:"test,omitempty"`
}

func vectorsClassify(c *cli.Context) error {
	asJSON := wantsJSON(c)
	if c.String("data") == "" {
		return usageError{errors.New("no labelled texts: add --data FILE")}
	}
	f := finetune.Default()
	f.Task, f.Head, f.Metric, f.Label, f.Header, f.Format, f.Encoding = c.String("task"), c.String("head"), c.String("metric"), c.String("label"), c.String("header"), c.String("file-format"), c.String("encoding")
	f.Train, f.Dev, f.Test = c.String("data"), c.String("dev"), c.String("test")
	f.Examples = c.Int("examples")
	f.Text, f.Second = c.StringSlice("text"), c.StringSlice("second")
	if err := f.Validate(); err != nil {
		return err
	}
	examples, setup, err := finetune.Load(f, nil)
	if err != nil {
		return err
	}
	if examples.Train, err = setup.Subset(examples.Train, 1); err != nil {
		return err
	}
	v, err := readVectors(c)
	if err != nil {
		return err
	}
	r := averagesReport{Train: len(examples.Train)}
	for _, way := range []struct {
		features string
		train    func() (*linear.Model, error)
	}{
		{"mean of vectors", func() (*linear.Model, error) {
			return baseline.TrainAverages(c.Context, setup, v, examples.Train, examples.Dev)
		}},
		{"n-grams", func() (*linear.Model, error) { return setup.FitNGrams(c.Context, examples.Train, examples.Dev, nil) }},
	} {
		m, err := way.train()
		if err != nil {
			return err
		}
		s := averagesScores{Features: way.features, C: m.C}
		for to, set := range map[*map[string]float64][]labelled.Example{&s.Dev: examples.Dev, &s.Test: examples.Test} {
			if len(set) == 0 {
				continue
			}
			e, err := setup.Measure(set, m)
			if err != nil {
				return err
			}
			*to, r.Metric = e.Metrics, e.Metric
		}
		r.Rows = append(r.Rows, s)
	}
	if asJSON {
		return printJSON(c, r)
	}
	r.print(c)
	return nil
}

func (r averagesReport) print(c *cli.Context) {
	fmt.Fprintf(c.App.Writer, "%s of classifiers that learned from %s examples:\n", r.Metric, number.Thousands(r.Train))
	var t terminal.Framed
	t.Row("features", "development", "test")
	cell := func(m map[string]float64) string {
		if m == nil {
			return "–"
		}
		return fmt.Sprintf("%.3f", m[r.Metric])
	}
	for _, s := range r.Rows {
		t.Row(s.Features, cell(s.Dev), cell(s.Test))
	}
	fmt.Fprint(c.App.Writer, t.Text(terminal.Width(c.App.Writer)))
}
