package commands

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/internal/userfile"
	"tinygpt/study/verify"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "recompute reference cases and print how far off each quantity is",
		ArgsUsage: "[DIR | FILE.json ...]",
		Description: `DIR holds config.json, model.safetensors and case.safetensors. FILE.json holds losses of
alignment (PPO, reward model, DPO, GRPO, …) with inputs and expected values. Without either the
cases in the binary are run, so that anyone can check this build on this CPU.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "print every quantity, not just the worst of each kind"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			asJSON := wantsJSON(c)
			var errs []error
			if !c.Args().Present() {
				for i, dir := range verify.Embedded() {
					name := []string{"GPT-1 architecture (in the binary)", "GPT-2 architecture (in the binary)"}[i]
					errs = append(errs, verifyCase(c, name, asJSON, func() ([]verify.Check, error) { return verify.Run(dir) }))
				}
			}
			for _, path := range c.Args().Slice() {
				errs = append(errs, verifyCase(c, path, asJSON, func() ([]verify.Check, error) { return verifyPath(path) }))
			}
			return errors.Join(errs...)
		},
	}
}

// verifyPath runs the case in a folder, or the losses in a file.
func verifyPath(path string) ([]verify.Check, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		f, err := userfile.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return verify.RunLosses(f)
	}
	dir, err := verify.Folder(path)
	if err != nil {
		return nil, err
	}
	return verify.Run(dir)
}

// verifyCase prints the result of a case: the worst quantity of each kind and all that
// are out of bounds; with --all, every quantity.
func verifyCase(c *cli.Context, name string, asJSON bool, run func() ([]verify.Check, error)) error {
	checks, err := run()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	wrong := 0
	for _, k := range checks {
		if !k.Pass {
			wrong++
		}
	}
	switch {
	case asJSON:
		err = printJSON(c, struct {
			Case   string         `json:"case"`
			Checks []verify.Check `json:"checks"`
		}{name, checks})
	case c.Bool("all"):
		printChecks(terminal.Raw(c.App.Writer), name, checks)
	default:
		printSummary(terminal.Raw(c.App.Writer), name, checks)
	}
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%s: %d of %d quantities are out of bounds", name, wrong, len(checks))
	}
	return err
}

// verdict says whether a check passes, in colour on a terminal.
func verdict(out io.Writer, k verify.Check) string {
	green, red, plain := "\x1b[32m", "\x1b[31m", "\x1b[0m"
	if !terminal.Colored(out) {
		green, red, plain = "", "", ""
	}
	if k.Pass {
		return green + "ok" + plain
	}
	return red + "OUT, expected " + k.Bound + plain
}

func printChecks(out io.Writer, name string, checks []verify.Check) {
	fmt.Fprintf(out, "%s\n%-48s %11s %11s\n", name, "quantity", "max abs err", "rel L2 err")
	for _, k := range checks {
		fmt.Fprintf(out, "%-48s %11.2e %11.2e  %s\n", k.Name, k.Absolute, k.Relative, verdict(out, k))
	}
	fmt.Fprintln(out)
}

func printSummary(out io.Writer, name string, checks []verify.Check) {
	fmt.Fprintf(out, "%s\n%-20s %10s %14s %14s\n", name, "quantities", "in bounds", "worst abs err", "worst rel err")
	passed := 0
	for _, s := range verify.Summarise(checks) {
		passed += s.Passed
		fmt.Fprintf(out, "%-20s %10s %14.2e %14.2e  %s\n", s.Kind, fmt.Sprintf("%d of %d", s.Passed, s.Count), s.Absolute, s.Relative, verdict(out, s.Worst))
	}
	for _, k := range checks {
		if !k.Pass {
			fmt.Fprintf(out, "%s: off by %.2e, relative %.2e: %s\n", k.Name, k.Absolute, k.Relative, verdict(out, k))
		}
	}
	fmt.Fprintf(out, "%d of %d within bounds\n\n", passed, len(checks))
}
