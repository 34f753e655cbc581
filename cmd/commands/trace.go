package commands

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/atomicfile"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/study/trace"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "make a page that walks a prompt through the model",
		ArgsUsage: "[PROMPT]",
		Description: `The page shows tokens, embeddings, the attention of each head, the logit lens, and the probabilities of the
next token under temperature and top-k. It is one HTML file, for any browser, without a network. A file that ends
in .svg gets a piece of it as a picture: the logit lens and the likeliest next tokens.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "prompt", Aliases: []string{"p"}, Usage: "`TEXT` to trace, instead of the argument"},
			&cli.StringFlag{Name: "prompt-file", Usage: "trace the text of `FILE`, without its last line end; - for standard input"},
			encodingFlag(),
			runFlag(),
			checkpointFlag(),
			&cli.StringFlag{Name: "to", Usage: "write the page to `FILE`, or a picture as .svg", Value: "trace.html"},
			formatFlag(),
		},
		Action: traceAction,
	}
}

func traceAction(c *cli.Context) error {
	ending := filepath.Ext(c.String("to"))
	if ending != ".svg" && ending != ".html" {
		return usageError{fmt.Errorf("--to is %s: expected a name that ends in .svg or .html", c.String("to"))}
	}
	p, err := promptOf(c)
	if err != nil {
		return err
	}
	if !p.set {
		return usageError{errors.New("trace needs a prompt: gpt trace --prompt \"Once upon a time\"")}
	}
	r, err := run.Open(c.String("run"))
	if err != nil {
		return err
	}
	text, err := p.read(c.App.Reader)
	if err != nil {
		return err
	}
	m, state, err := r.Trained(c.String("checkpoint"))
	if err != nil {
		return err
	}
	weights, err := m.Weights(model.Float32)
	if err != nil {
		return err
	}
	page, err := trace.New(weights, r.Tokenizer, text, r.Config.Sample)
	if err != nil {
		return err
	}
	page.Run, page.Step = r.Dir, state.Step
	write := page.Write
	if ending == ".svg" {
		write = page.WriteSVG
	}
	var file bytes.Buffer
	if err := write(&file); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(c.String("to"), file.Bytes()); err != nil {
		return err
	}
	return report(c, struct {
		To     string        `json:"to"`
		Run    string        `json:"run"`
		Step   int           `json:"step"`
		Tokens []trace.Token `json:"tokens"`
		Bytes  int           `json:"bytes"`
	}{c.String("to"), page.Run, page.Step, page.Tokens, file.Len()}, "wrote %s (%d tokens, %d kB): open it in a browser\n", c.String("to"), len(page.Tokens), (file.Len()+999)/1000)
}
