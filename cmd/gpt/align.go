package main

import (
	"github.com/urfave/cli/v2"

	"tinygpt/data/instruct"
)

func alignCommand() *cli.Command {
	return &cli.Command{
		Name:  "align",
		Usage: "teach a trained model to follow instructions, as InstructGPT was",
		Subcommands: []*cli.Command{
			alignDataCommand(),
		},
	}
}

func alignDataCommand() *cli.Command {
	return &cli.Command{
		Name:  "data",
		Usage: "show the built-in instructions beside the paper's table",
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "scale", Usage: "prompts for each of the paper's", Value: 0.1},
			&cli.Uint64Flag{Name: "seed", Usage: "seed of the prompts", Value: 1},
			&cli.BoolFlag{Name: "examples", Usage: "print a prompt of each task, with its demonstration"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			w := instruct.NewWorld(c.Uint64("seed"), c.Float64("scale"))
			w.Show(c.App.Writer)
			if c.Bool("examples") {
				w.Examples(c.App.Writer)
			}
			return nil
		},
	}
}
