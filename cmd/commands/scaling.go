package commands

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/study/scaling"
)

func scalingCommand() *cli.Command {
	return &cli.Command{
		Name:        "scaling",
		Usage:       "what size does: the GPT papers' tables, and a ladder of models of your own",
		Subcommands: []*cli.Command{scalingTableCommand(), scalingRunCommand()},
	}
}

// measureWide measures this computer; a variable so that tests do it once.
var measureWide = scaling.MeasureWide

func scalingTableCommand() *cli.Command {
	return &cli.Command{
		Name:      "table",
		Usage:     "the papers' models, counted: parameters, memory, operations, time",
		ArgsUsage: "gpt1|gpt2|gpt3|all",
		Description: `What the papers' tables say, with what follows from it. The speed of this computer is
measured in a second or two. Under each table is said where a paper's own figures disagree.`,
		Flags: estimateFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 1 {
				return usageError{fmt.Errorf("scaling table takes one of gpt1, gpt2, gpt3, all; found %q too", c.Args().Get(1))}
			}
			name := c.Args().First()
			if name == "" {
				name = "all"
			}
			papers, err := scaling.Find(name)
			if err != nil {
				return usageError{err}
			}
			r, err := newReport(c)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(c)
			defer stop()
			if r.Speed, err = measureWide(ctx); err != nil {
				return interrupted(err)
			}
			for _, p := range papers {
				r.Add(scaling.NewSection(p))
			}
			return writeReport(c, r)
		},
	}
}

// estimateFlags are those of all estimates.
func estimateFlags() []cli.Flag {
	return []cli.Flag{
		formatFlag("markdown", "csv"),
		&cli.StringFlag{Name: "accelerator", Usage: "v100, a100, h100, or a peak in `TFLOP/s`", Value: "a100"},
		&cli.Float64Flag{Name: "mfu", Usage: "the share of the accelerator's peak that training reaches", Value: 0.4},
		&cli.Float64Flag{Name: "memory", Usage: "calculate with `GiB` of memory", DefaultText: "what this computer has free"},
	}
}

// newReport reads estimateFlags.
func newReport(c *cli.Context) (r scaling.Report, err error) {
	if r.Accelerator, err = scaling.ParseAccelerator(c.String("accelerator"), c.Float64("mfu")); err != nil {
		return r, usageError{err}
	}
	if c.IsSet("memory") {
		bytes := c.Float64("memory") * (1 << 30)
		if !(bytes > 0 && bytes < 1<<60) {
			return r, usageError{fmt.Errorf("--memory %v: expected a number of GiB", c.Float64("memory"))}
		}
		r.Machine = scaling.Machine{Total: uint64(bytes), Available: uint64(bytes)}
		return r, nil
	}
	r.Machine, err = scaling.ThisMachine()
	return r, err
}

// writeReport writes estimates in the format that is asked for.
func writeReport(c *cli.Context, r scaling.Report) error {
	if wantsJSON(c) {
		return printJSON(c, r)
	}
	return r.Write(terminal.Wrap(c.App.Writer), scaling.Format(c.String("format")))
}
