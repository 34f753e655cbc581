//go:build linux

// Command torture breaks runs of the program on purpose and says what went wrong; see
// study/reliability. It builds cmd/gpt, works in a temporary folder, prints a table of
// what it did, and ends with status 1 if anything went wrong.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/study/reliability"
)

func main() {
	app := &cli.App{
		Name:                      "torture",
		Usage:                     "kill runs, fill their disks, damage their files, and see that nothing is lost",
		DisableSliceFlagSeparator: true, // names of kinds have commas
		Commands: []*cli.Command{
			mode("kill", "kill with SIGKILL at random instants, go on, and compare with a run that wasn't killed", 20, reliability.Kind.Kill),
			mode("signal", "end with Ctrl-C, SIGTERM and SIGHUP, stop and continue, go on, and compare", 10, reliability.Kind.Signal),
			mode("limit", "fill the disk, limit files and handles, close streams, remove the folder, go on, and compare", 6, reliability.Kind.Limits),
			mode("damage", "replace every value of a run's JSON and YAML files, and read it", 0, reliability.Kind.Damage),
			mode("cut", "cut off every file of a run at every length, a large one where its fields end, and read it", 64, reliability.Kind.Cut),
			mode("power", "cut the power after each system call: drop what wasn't synced, go on, and compare", 20, reliability.Kind.Power),
			mode("power-blind", "the same on disks that sync no file, and no folder: power must notice", 0, reliability.Kind.PowerBlind),
			hostileCommand(),
			soakCommand(),
		},
	}
	if err := app.RunContext(context.Background(), os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// mode is the command of one sort of fault, which is injected into each kind of run; times
// is how often unless the user says so, 0 where that follows from the run's files.
func mode(name, usage string, times int, inject func(reliability.Kind, *reliability.Program, *reliability.Report, int, uint64) error) *cli.Command {
	command := &cli.Command{
		Name: name, Usage: usage,
		Flags: []cli.Flag{
			programFlag,
			&cli.StringSliceFlag{Name: "kind", Usage: "runs of `KIND` only: train, finetune, ablate, scaling, fewshot, skip-gram, glove, sft, reward, ppo, dpo, grpo, all, overoptimise, export, import, init, rankings (repeatable)"},
			&cli.Uint64Flag{Name: "seed", Usage: "of the instants", Value: 1},
			patienceFlag,
			keepFlag,
		},
		Action: func(c *cli.Context) error {
			kinds, err := reliability.KindsOf(c.StringSlice("kind"))
			if err != nil {
				return err
			}
			p, clean, err := work(c)
			if err != nil {
				return err
			}
			defer clean()
			report := &reliability.Report{Log: os.Stdout}
			for _, k := range kinds {
				if err := inject(k, p, report, c.Int("times"), c.Uint64("seed")); err != nil {
					return fmt.Errorf("%s: %w", k.Name, err)
				}
			}
			return outcome(report)
		},
	}
	if times > 0 {
		command.Flags = append(command.Flags, &cli.IntFlag{Name: "times", Usage: "inject `N` faults into each kind; cut: `N` lengths of each large file besides", Value: times})
	}
	return command
}

// hostileCommand gives the program what no program should trust.
func hostileCommand() *cli.Command {
	return &cli.Command{
		Name: "hostile", Usage: "numbers without bounds, bombs, pipes for files: each is refused in one line, soon, and without much memory",
		Flags: []cli.Flag{programFlag, patienceFlag, keepFlag},
		Action: func(c *cli.Context) error {
			p, clean, err := work(c)
			if err != nil {
				return err
			}
			defer clean()
			report := &reliability.Report{Log: os.Stdout}
			if err := reliability.Hostile(p, report); err != nil {
				return err
			}
			return outcome(report)
		},
	}
}

// Flags of several commands.
var (
	programFlag = &cli.StringFlag{Name: "program", Usage: "the built `FILE`", DefaultText: "cmd/gpt is built"}
	keepFlag    = &cli.StringFlag{Name: "keep", Usage: "work in `FOLDER`, and leave there the runs in which something went wrong"}
)

// patienceFlag is the time that a command may take.
var patienceFlag = &cli.DurationFlag{Name: "patience", Usage: "a command hangs that takes longer than `TIME`: give more on a busy computer", Value: time.Minute}

// work builds the program, unless it is at a path, and makes a folder to work in, or uses
// the one to be kept. clean removes what isn't kept.
func work(c *cli.Context) (p *reliability.Program, clean func(), err error) {
	folder, program, clean := c.String("keep"), c.String("program"), func() {}
	if folder == "" {
		if folder, err = os.MkdirTemp("", "torture-*"); err != nil {
			return nil, nil, err
		}
		clean = func() { os.RemoveAll(folder) }
	} else if folder, err = filepath.Abs(folder); err == nil {
		err = os.MkdirAll(folder, 0o777)
	}
	if err == nil && program == "" {
		program = filepath.Join(folder, "gpt")
		build := exec.Command("go", "build", "-o", program, "./cmd/gpt")
		build.Stderr = os.Stderr
		if err = build.Run(); err != nil {
			err = fmt.Errorf("building cmd/gpt: %w", err)
		}
	}
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err == nil {
		p, err = reliability.NewProgram(program, folder, c.Duration("patience"))
	}
	if err != nil {
		clean()
		return nil, nil, err
	}
	return p, clean, nil
}

// outcome prints what was done.
func outcome(report *reliability.Report) error {
	fmt.Print(report.Markdown())
	if n := report.Wrong(); n > 0 {
		return fmt.Errorf("%d things went wrong", n)
	}
	return nil
}
