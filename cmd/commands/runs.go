package commands

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/number"
	"tinygpt/internal/terminal"
	"tinygpt/run"
)

func runsCommand() *cli.Command {
	return &cli.Command{
		Name:        "runs",
		Usage:       "list the runs in the folder " + run.Root + ", and remove some",
		Description: "Loss is the lowest on the held-out split; age is since a checkpoint was written. Commands take the\nname of a run for its folder: --run small-1, or --run instruct-1/ppo for a step of an alignment.",
		Flags:       []cli.Flag{formatFlag()},
		Action:      listRuns,
		Subcommands: []*cli.Command{{
			Name:      "remove",
			Usage:     "remove runs, with everything in their folders",
			ArgsUsage: "RUN...",
			Flags:     []cli.Flag{&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "don't ask"}, formatFlag()},
			Action:    removeRuns,
		}},
	}
}

func listRuns(c *cli.Context) error {
	if c.Args().Present() {
		return noCommand(c.Args().First(), c.Command.Subcommands, c.Command.HelpName)
	}
	asJSON := wantsJSON(c)
	list, err := run.List(run.Root)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c, list)
	}
	if len(list) == 0 {
		fmt.Fprintf(c.App.Writer, "no runs here yet: make one with %s\n", command("train", "--config", "small.yaml"))
		return nil
	}
	t := terminal.Table{Right: func(column int) bool { return column >= 2 }}
	t.Row("run", "kind", "parameters", "steps", "loss", "disk", "age")
	for _, r := range list {
		t.Row(runRow(r, time.Now())...)
	}
	fmt.Fprint(c.App.Writer, t.Text())
	for _, r := range list {
		if r.Problem != "" {
			fmt.Fprintf(c.App.Writer, "%s: %s\n", r.Name, terminal.Visible(r.Problem))
		}
	}
	return nil
}

// runRow is a run's line.
func runRow(r run.Info, now time.Time) []string {
	orNone := func(known bool, text string) string {
		if !known {
			return "–"
		}
		return text
	}
	kind, steps, age := string(r.Kind), orNone(r.Step > 0, number.Thousands(r.Step)), ago(now.Sub(r.Written))
	if r.Problem != "" {
		kind = "damaged"
	}
	if r.Steps > 0 && r.Step < r.Steps {
		steps = fmt.Sprintf("%s of %s", number.Thousands(r.Step), number.Thousands(r.Steps))
	}
	if r.Busy {
		age = "in work"
	}
	return []string{terminal.Visible(r.Name), kind, orNone(r.Parameters > 0, number.Thousands(int(r.Parameters))), steps,
		orNone(r.Loss > 0, fmt.Sprintf("%.4f", r.Loss)), number.Bytes(r.Bytes), age}
}

// ago is a time span in its largest unit.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func removeRuns(c *cli.Context) error {
	if c.NArg() == 0 {
		return usageError{errors.New("no run named: see gpt runs")}
	}
	var dirs []string
	for _, name := range c.Args().Slice() {
		dir := run.Named(name)
		if err := run.IsRun(dir); err != nil {
			return err
		}
		dirs = append(dirs, dir)
	}
	if !c.Bool("yes") {
		if !terminal.Is(c.App.Reader) {
			return usageError{errors.New("there is nobody to ask: add --yes to remove without a question")}
		}
		fmt.Fprintf(narration(c), "remove %s for good? [y/N] ", strings.Join(dirs, ", "))
		answer, err := bufio.NewReader(c.App.Reader).ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			fmt.Fprintln(narration(c), "nothing removed")
			return nil
		}
	}
	for _, dir := range dirs {
		what := dir
		if run.IsLink(dir) {
			what = fmt.Sprintf("the link %s; the run that it leads to stays", dir)
		}
		if err := run.Remove(dir); err != nil {
			return err
		}
		fmt.Fprintf(narration(c), "removed %s\n", what)
	}
	if wantsJSON(c) {
		return printJSON(c, struct {
			Removed []string `json:"removed"`
		}{dirs})
	}
	return nil
}
