package commands

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/internal/terminal"
	"tinygpt/run"
)

func classifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "classify",
		Usage:     "predict labels with a fine-tuned model",
		ArgsUsage: "[TEXT ...]",
		Description: `Each TEXT is an example of its own. For entailment and similarity the two texts follow one
another; for choice TEXT is the context and --choice gives the choices; for tagging TEXT is a sentence.
Without TEXT the examples come from --file, or from standard input: a text on each line, or for
tasks of several texts rows as in the training file.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "the fine-tuned run's `FOLDER`", DefaultText: "the latest"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "predict for the rows of `FILE`, with the columns of training"},
			fileFormatFlag("of the file"),
			headerFlag("the file"),
			encodingFlag(),
			&cli.StringSliceFlag{Name: "choice", Usage: "`TEXT` of a choice (repeatable)"},
			&cli.StringSliceFlag{Name: "text", Usage: "`COLUMN` of the text, if it isn't training's (repeatable)"},
			&cli.StringSliceFlag{Name: "second", Usage: "`COLUMN` of the second text (repeatable)"},
			&cli.StringSliceFlag{Name: "choices", Usage: "`COLUMN` of a choice (repeatable), or of a list of them"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() && c.IsSet("file") {
				return usageError{fmt.Errorf("both a text and --file: expected one of them")}
			}
			asJSON := wantsJSON(c)
			t, err := run.OpenFinetuned(c.String("run"))
			if err != nil {
				return err
			}
			examples, err := toClassify(c, t.Setup)
			if err != nil {
				return err
			}
			answers, err := t.Answers(c.Context, examples)
			if err != nil {
				return err
			}
			out, cut := c.App.Writer, 0
			for _, answer := range answers {
				if answer.Truncated {
					cut++
				}
				if asJSON {
					err = printJSON(c, answer)
				} else {
					_, err = fmt.Fprintln(out, fitLine(answer.String(), terminal.Width(c.App.Writer)))
				}
				if err != nil {
					return err
				}
			}
			if cut > 0 {
				fmt.Fprintf(c.App.ErrWriter, "gpt: %d of %d examples are longer than the model's context and lost their %s\n", cut, len(answers), t.Setup.Truncate)
			}
			return nil
		},
	}
}

// toClassify are the examples that the command line names.
func toClassify(c *cli.Context, s *finetune.Setup) ([]labelled.Example, error) {
	kind := s.Kind()
	if c.Args().Present() {
		var texts []string
		for _, text := range c.Args().Slice() {
			texts = append(texts, strings.TrimSuffix(data.Clean(text), "\n"))
		}
		return examplesOf(kind, texts, c.StringSlice("choice"), "argument")
	}
	from := finetune.Source{Format: labelled.Format(c.String("file-format")), Columns: labelled.Columns{
		Text: c.StringSlice("text"), Second: c.StringSlice("second"), Choices: c.StringSlice("choices"), Header: c.String("header"),
	}}
	o, err := readOptions(c)
	if err != nil {
		return nil, err
	}
	from.Encoding = o.Encoding
	if from.File = c.String("file"); from.File == "" {
		from.File = "-"
	}
	if whole := kind == labelled.Single || kind == labelled.Tagged; from.File == "-" && whole && from.Format == "" {
		text, err := data.ReadText(from.File, o)
		if err != nil {
			return nil, err
		}
		return examplesOf(kind, strings.Split(strings.TrimSuffix(text, "\n"), "\n"), nil, "standard input")
	}
	return s.Read(from)
}

// examplesOf makes examples of texts; two texts are one example of a pair.
func examplesOf(kind labelled.Kind, texts, choices []string, source string) (out []labelled.Example, err error) {
	size := 1
	switch kind {
	case labelled.Pair:
		size = 2
	case labelled.Choice:
		if len(texts) != 1 || len(choices) < 2 {
			return nil, usageError{fmt.Errorf("expected one text and --choice twice or more, found %d and %d", len(texts), len(choices))}
		}
	}
	if len(texts)%size != 0 {
		return nil, usageError{fmt.Errorf("the task has two texts to an example: expected an even number of texts, found %d", len(texts))}
	}
	for i := 0; i < len(texts); i += size {
		e := labelled.Example{File: source, Line: i + 1, Texts: texts[i : i+size], Choices: choices}
		for _, text := range append(append([]string{}, e.Texts...), e.Choices...) {
			if strings.TrimSpace(text) == "" {
				return nil, e.Errorf("the text is empty")
			}
		}
		if kind == labelled.Tagged {
			e.Tokens, e.Texts = strings.Fields(texts[i]), nil
		}
		out = append(out, e)
	}
	return out, nil
}

// fitLine cuts a line with a tab, after which it repeats what was asked, to the columns of a
// terminal; 0: it goes to none, and stays as it is.
func fitLine(line string, columns int) string {
	if columns == 0 || !strings.Contains(line, "\t") {
		return line
	}
	return terminal.Fit(strings.ReplaceAll(line, "\t", "  "), columns)
}
