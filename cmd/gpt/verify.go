package main

import (
	"errors"
	"fmt"
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
		Action: func(c *cli.Context) error {
			var errs []error
			if !c.Args().Present() {
				for i, dir := range verify.Embedded() {
					name := []string{"GPT-1 architecture (in the binary)", "GPT-2 architecture (in the binary)"}[i]
					errs = append(errs, verifyCase(c, name, func() ([]verify.Check, error) { return verify.Run(dir) }))
				}
			}
			for _, path := range c.Args().Slice() {
				errs = append(errs, verifyCase(c, path, func() ([]verify.Check, error) { return verifyPath(path) }))
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

// verifyCase prints a case's table.
func verifyCase(c *cli.Context, name string, run func() ([]verify.Check, error)) error {
	checks, err := run()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out := c.App.Writer
	green, red, plain := "\x1b[32m", "\x1b[31m", "\x1b[0m"
	if !terminal.Colored(out) {
		green, red, plain = "", "", ""
	}
	fmt.Fprintf(out, "%s\n%-54s %12s %12s\n", name, "quantity", "max abs err", "rel L2 err")
	wrong := 0
	for _, k := range checks {
		verdict := green + "ok" + plain
		if !k.Pass {
			verdict = red + "OUT, expected " + k.Bound + plain
			wrong++
		}
		fmt.Fprintf(out, "%-54s %12.2e %12.2e  %s\n", k.Name, k.Absolute, k.Relative, verdict)
	}
	fmt.Fprintf(out, "%d of %d within bounds\n\n", len(checks)-wrong, len(checks))
	if wrong > 0 {
		return fmt.Errorf("%s: %d of %d quantities are out of bounds", name, wrong, len(checks))
	}
	return nil
}
