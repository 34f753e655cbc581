// Command gpt trains a GPT and samples from it. Each subcommand has a file; they
// hold flags and wiring only.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/train"
)

func main() {
	os.Exit(execute(context.Background(), os.Args, os.Stdout, os.Stderr))
}

// execute runs the command line and returns the exit status: 0, 1 for an error,
// 2 for wrong usage, 130 after an interrupt.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:      "gpt",
		Usage:     "train a small GPT on this computer, and write with it",
		Writer:    stdout,
		ErrWriter: stderr,
		Commands: []*cli.Command{
			trainCommand(), finetuneCommand(), classifyCommand(), ablateCommand(), sampleCommand(), evalCommand(),
			plotCommand(), traceCommand(), graphCommand(), tokenizerCommand(), importCommand(), exportCommand(), verifyCommand(), benchCommand(),
			scalingCommand(), planCommand(), fewshotCommand(), alignCommand(), vectorsCommand(),
		},
		Suggest: true,
		// A comma is part of a file's name or of a stop text.
		DisableSliceFlagSeparator: true,
		// Errors are printed below, in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
		CommandNotFound: func(c *cli.Context, name string) {
			fmt.Fprintf(stderr, "gpt: no command %q: see gpt help\n", name)
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{fmt.Errorf("no command %q: see gpt help", c.Args().First())}
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = app.OnUsageError
		for _, s := range c.Subcommands {
			s.OnUsageError = app.OnUsageError
		}
	}
	err := app.RunContext(ctx, flagsFirst(app, args))
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, train.ErrInterrupted):
		return 130
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "gpt:", lines(err))
		return 2
	}
	fmt.Fprintln(stderr, "gpt:", lines(err))
	return 1
}

// self is what the user types to run this program.
func self() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/gpt"
	}
	return "gpt"
}

// usageError is an error in how the command was called.
type usageError struct{ error }

// lines writes joined errors one to a line.
func lines(err error) string { return strings.TrimSpace(err.Error()) }

// noArguments refuses arguments that a command doesn't take.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usageError{fmt.Errorf("%s takes flags only, found %q: see %s --help", c.Command.Name, c.Args().First(), c.Command.HelpName)}
	}
	return nil
}
