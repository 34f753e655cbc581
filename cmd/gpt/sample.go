package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/run"
)

func sampleCommand() *cli.Command {
	return &cli.Command{
		Name:  "sample",
		Usage: "write with a trained model",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "prompt", Aliases: []string{"p"}, Usage: "`TEXT` to continue; none: a text from its beginning"},
			&cli.StringFlag{Name: "run", Usage: "the run's `FOLDER`", DefaultText: "the latest"},
			&cli.StringFlag{Name: "checkpoint", Usage: "best or last", DefaultText: "best if there is one"},
			&cli.Float64Flag{Name: "temperature", Usage: "divides the logits; 0 takes the likeliest token", DefaultText: "the run's"},
			&cli.IntFlag{Name: "top-k", Usage: "draw from the `K` likeliest tokens, 0 from all", DefaultText: "the run's"},
			&cli.IntFlag{Name: "max-tokens", Usage: "end a text after `N` tokens", DefaultText: "the run's"},
			&cli.IntFlag{Name: "num-samples", Aliases: []string{"n"}, Usage: "write `N` texts", Value: 1},
			&cli.Uint64Flag{Name: "seed", Usage: "of the choices; text i takes seed+i", Value: 1},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if n := c.Int("num-samples"); n < 1 {
				return usageError{fmt.Errorf("--num-samples is %d: expected 1 or more", n)}
			}
			r, err := run.Open(c.String("run"))
			if err != nil {
				return err
			}
			o := r.Config.Sample
			if c.IsSet("temperature") {
				o.Temperature = c.Float64("temperature")
			}
			if c.IsSet("top-k") {
				o.TopK = c.Int("top-k")
			}
			if c.IsSet("max-tokens") {
				o.MaxTokens = c.Int("max-tokens")
			}
			if err := o.Validate(); err != nil {
				return usageError{err}
			}
			m, _, err := r.Model(c.String("checkpoint"))
			if err != nil {
				return err
			}
			out, prompt := c.App.Writer, c.String("prompt")
			for i := range c.Int("num-samples") {
				if i > 0 {
					fmt.Fprint(out, "\n---\n")
				}
				fmt.Fprint(out, prompt)
				if err := stream(out, m, r.Tokenizer, prompt, o, c.Uint64("seed")+uint64(i)); err != nil {
					return err
				}
				fmt.Fprintln(out)
			}
			return nil
		},
	}
}
