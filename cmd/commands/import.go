package commands

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "make a run of a model in Hugging Face's layout",
		ArgsUsage: "DIR",
		Description: `DIR holds config.json (model types gpt2 and openai-gpt), model.safetensors or
pytorch_model.bin (of which nothing is executed), or their parts with the index, and
tokenizer.json or the vocabulary's files (vocab.txt too, as Chinese GPT-2s have): what
transformers' save_pretrained writes, or a download of such a model. A link in it may not
lead out of it, but in a hub's cache to the cache's files. It may also be a
JSON file with a model of minGPT's, like the one that sorts digits in the visualisation
llm-viz.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "the new run's `FOLDER`", DefaultText: "runs/DIR-1"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usageError{fmt.Errorf("import takes one folder or file, found %d arguments: see gpt import --help", c.NArg())}
			}
			asJSON := wantsJSON(c)
			out, from := c.App.Writer, c.Args().First()
			progress, end := interchange(c, "reading weights")
			r, leftOut, err := run.Import(from, c.String("run"), progress)
			end()
			if err != nil {
				return err
			}
			m := r.Config.Model
			if asJSON {
				return printJSON(c, struct {
					Run        string     `json:"run"`
					Arch       model.Arch `json:"arch"`
					Layers     int        `json:"layers"`
					Width      int        `json:"width"`
					Heads      int        `json:"heads"`
					Context    int        `json:"context"`
					Vocabulary int        `json:"vocab_size"`
					Parameters int64      `json:"parameters"`
					LeftOut    []string   `json:"left_out,omitempty"`
				}{r.Dir, m.Arch, m.Layers, m.Width, m.Heads, m.Context, m.VocabSize, int64(m.ParameterCount()), leftOut})
			}
			fmt.Fprintf(out, "imported %s into %s\n", from, r.Dir)
			fmt.Fprintf(out, "model:       %s, %s × %d, %s, context %s, %s parameters\n", m.Arch, number.Of(m.Layers, "layer"), m.Width, number.Of(m.Heads, "head"), number.Thousands(m.Context), number.Thousands(int(m.ParameterCount())))
			fmt.Fprintf(out, "tokenizer:   %s, %s tokens\n", r.Tokenizer.Name(), number.Thousands(m.VocabSize))
			if len(leftOut) > 0 {
				fmt.Fprintf(out, "left out:    %s\n", strings.Join(leftOut, ", "))
			}
			fmt.Fprintf(out, "write with:  %s\n", command("sample", "--run", r.Dir, "--prompt", "TEXT"))
			fmt.Fprintf(out, "train it on: %s\n", command("train", "--from", r.Dir, "--data", "FILE"))
			return nil
		},
	}
}

// interchange returns a bar for reading or writing weights, and a context that Ctrl-C
// ends; nothing is then left in the folder. Call end when the work is over.
func interchange(c *cli.Context, what string) (progress model.Progress, end func()) {
	ctx, stop := interruptible(c)
	bar := terminal.NewStages(c.App.ErrWriter)
	progress = func(done, total int64) error {
		if ctx.Err() != nil {
			return train.ErrInterrupted
		}
		bar.Show(what, int(done), int(total))
		return nil
	}
	return progress, func() { bar.Clear(); stop() }
}
