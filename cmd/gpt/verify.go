package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"tinygpt/study/verify"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "recompute reference cases and print how far off each quantity is",
		ArgsUsage: "[DIR ...]",
		Description: "DIR holds config.json, model.safetensors and case.safetensors. Without DIR the cases in\n" +
			"the binary are run, so that anyone can check this build on this CPU.",
		Action: func(c *cli.Context) error {
			cases, names := verify.Embedded(), []string{"GPT-1 architecture (in the binary)", "GPT-2 architecture (in the binary)"}
			if c.Args().Present() {
				cases, names = nil, c.Args().Slice()
				for _, dir := range names {
					f, err := verify.Folder(dir)
					if err != nil {
						return err
					}
					cases = append(cases, f)
				}
			}
			var errs []error
			for i := range cases {
				errs = append(errs, verifyCase(c, cases[i], names[i]))
			}
			return errors.Join(errs...)
		},
	}
}

// verifyCase prints a case's table.
func verifyCase(c *cli.Context, dir fs.FS, name string) error {
	checks, err := verify.Run(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	out := c.App.Writer
	green, red, plain := "\x1b[32m", "\x1b[31m", "\x1b[0m"
	if !isTerminal(out) {
		green, red, plain = "", "", ""
	}
	fmt.Fprintf(out, "%s\n%-42s %12s %12s\n", name, "quantity", "max abs err", "rel L2 err")
	wrong := 0
	for _, k := range checks {
		verdict := green + "ok" + plain
		if !k.Pass {
			verdict = red + "OUT, expected " + k.Bound + plain
			wrong++
		}
		fmt.Fprintf(out, "%-42s %12.2e %12.2e  %s\n", k.Name, k.Absolute, k.Relative, verdict)
	}
	fmt.Fprintf(out, "%d of %d within bounds\n\n", len(checks)-wrong, len(checks))
	if wrong > 0 {
		return fmt.Errorf("%s: %d of %d quantities are out of bounds", name, wrong, len(checks))
	}
	return nil
}
