//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/interrupt"
	"tinygpt/study/reliability"
)

// soakCommand keeps processes at work for hours.
func soakCommand() *cli.Command {
	return &cli.Command{
		Name: "soak", Usage: "train, sample, serve and train vectors for hours; memory, goroutines, file handles and speed stay the same",
		Flags: []cli.Flag{
			programFlag, patienceFlag,
			&cli.DurationFlag{Name: "for", Usage: "end after this `TIME`", Value: 2 * time.Hour},
			&cli.Float64Flag{Name: "share", Usage: "let the trainings compute for this `PART` of the time", Value: 1},
			&cli.StringFlag{Name: "to", Usage: "write soak.jsonl and soak.svg to `FOLDER`", Value: "."},
		},
		Action: func(c *cli.Context) error {
			if share := c.Float64("share"); !(share > 0 && share <= 1) {
				return fmt.Errorf("--share is %g: expected more than 0, and at most 1", share)
			}
			p, clean, err := work(c)
			if err != nil {
				return err
			}
			defer clean()
			ctx, stop := interrupt.Context(c.Context)
			defer stop()
			report := &reliability.Report{Log: os.Stdout}
			if err := reliability.Soak(ctx, p, report, c.String("to"), c.Duration("for"), c.Float64("share")); err != nil {
				return err
			}
			all, err := reliability.ReadSoak(filepath.Join(c.String("to"), reliability.SoakFile))
			if err != nil {
				return err
			}
			fmt.Print(reliability.SoakTable(all))
			return outcome(report)
		},
	}
}
