package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/data"
	"tinygpt/run"
	"tinygpt/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure how well a trained model predicts its validation split, or any text",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`", DefaultText: "the latest"},
			&cli.StringFlag{Name: "checkpoint", Usage: "best or last", DefaultText: "best if there is one"},
			&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "measure on `FILE`, folder, glob or - (repeatable) instead of the validation split"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			r, err := run.Open(c.String("run"))
			if err != nil {
				return err
			}
			m, state, err := r.Model(c.String("checkpoint"))
			if err != nil {
				return err
			}
			var stream *data.Stream
			floor := 0.0
			if files := c.StringSlice("data"); len(files) > 0 {
				corpus, err := data.Load(files)
				if err != nil {
					return err
				}
				if stream, err = data.Tokenize(corpus, r.Tokenizer); err != nil {
					return err
				}
			} else {
				texts, err := run.LoadTexts(r.Config.Data)
				if err != nil {
					return err
				}
				if stream, err = r.Validation(texts); err != nil {
					return err
				}
				floor = texts.FloorBitsPerByte()
			}
			evaluator, err := train.NewEvaluator(m, stream)
			if err != nil {
				return err
			}
			e, err := evaluator.Run()
			if err != nil {
				return err
			}
			out := c.App.Writer
			fmt.Fprintf(out, "model:          %s, step %d\n", r.Dir, state.Step)
			fmt.Fprintf(out, "text:           %s bytes, %s predicted tokens\n", train.Thousands(e.Bytes), train.Thousands(e.Tokens))
			fmt.Fprintf(out, "loss:           %.4f nats per token\n", e.Loss)
			fmt.Fprintf(out, "perplexity:     %.3f\n", e.Perplexity())
			fmt.Fprintf(out, "bits per byte:  %.4f\n", e.BitsPerByte())
			if floor > 0 {
				fmt.Fprintf(out, "floor:          %.4f bits per byte, the exact entropy of this text\n", floor)
			}
			return nil
		},
	}
}
