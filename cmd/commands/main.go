// Package commands has the commands of gpt and gpt-mpi, a file for each: flags and wiring
// only.
package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	_ "tinygpt/internal/handles"
	"tinygpt/internal/interrupt"
	"tinygpt/internal/shell"
	"tinygpt/internal/terminal"
	"tinygpt/train"
)

// execute runs the command line and returns the exit status: 0, 1 for an error,
// 2 for wrong usage, 130 after Ctrl-C (143 SIGTERM, 129 SIGHUP).
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	app := newApp()
	app.Writer, app.ErrWriter = terminal.Shown(out), terminal.Shown(stderr)
	var unknown error // that help was asked for
	app.CommandNotFound = func(c *cli.Context, name string) {
		unknown = noCommand(name, c.Command.Subcommands, c.Command.HelpName)
	}
	err := app.RunContext(ctx, flagsFirst(app, args))
	if err == nil {
		err = unknown
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err)
	}
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, train.ErrInterrupted):
		return interrupt.Status()
	case errors.As(err, &usage):
		fmt.Fprintln(app.ErrWriter, "gpt:", lines(err))
		return 2
	}
	fmt.Fprintln(app.ErrWriter, "gpt:", lines(err))
	return 1
}

// newApp returns all commands.
func newApp() *cli.App {
	app := &cli.App{
		Name:    "gpt",
		Usage:   "train a small GPT on this computer, and write with it",
		Version: version(),
		Commands: []*cli.Command{
			trainCommand(), finetuneCommand(), classifyCommand(), ablateCommand(), sampleCommand(), evalCommand(),
			plotCommand(), traceCommand(), graphCommand(), tokenizerCommand(), importCommand(), exportCommand(), verifyCommand(), benchCommand(),
			scalingCommand(), planCommand(), fewshotCommand(), chatCommand(), serveCommand(), alignCommand(), vectorsCommand(), configCommand(), runsCommand(), completionCommand(), versionCommand(),
		},
		// A comma is part of a file's name or of a stop text.
		DisableSliceFlagSeparator: true,
		// Errors are printed below, in one place.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(c *cli.Context, err error, _ bool) error { return flagError(c, err) },
	}
	app.Action = func(c *cli.Context) error {
		if c.Args().Present() {
			return noCommand(c.Args().First(), app.Commands, app.Name)
		}
		return cli.ShowAppHelp(c)
	}
	for _, c := range app.Commands {
		prepare(c)
	}
	app.Commands = append(app.Commands, completeCommandFor(app))
	return app
}

// command is a command line of this program that the user can copy.
func command(words ...string) string { return self() + " " + shell.Command(words...) }

// self is what the user types to run this program.
func self() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/gpt"
	}
	return "gpt"
}
