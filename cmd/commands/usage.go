package commands

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/internal/suggest"
)

// usageError is an error in how the command was called.
type usageError struct{ error }

// prepare gives a command and those below it what all have in common: errors that
// execute prints, suggestions for mistyped names, an error about arguments if ArgsUsage
// has none, and an action for a command that only holds others.
func prepare(c *cli.Command) {
	c.OnUsageError = func(ctx *cli.Context, err error, _ bool) error { return flagError(ctx, err) }
	for _, s := range c.Subcommands {
		prepare(s)
	}
	if action := c.Action; action != nil {
		if c.ArgsUsage == "" {
			c.Action = func(ctx *cli.Context) error {
				if err := noArguments(ctx); err != nil {
					return err
				}
				return action(ctx)
			}
		}
		return
	}
	c.Action = func(ctx *cli.Context) error {
		if ctx.Args().Present() {
			return noCommand(ctx.Args().First(), c.Subcommands, c.HelpName)
		}
		return cli.ShowSubcommandHelp(ctx)
	}
}

// noCommand is the error about a command that there isn't; of is the name of what
// should have it.
func noCommand(name string, commands []*cli.Command, of string) error {
	var names []string
	for _, c := range commands {
		names = append(names, c.Names()...)
	}
	if meant := suggest.Closest(name, names); meant != "" {
		return usageError{fmt.Errorf("no command %q: did you mean %s %s?", name, of, meant)}
	}
	return usageError{fmt.Errorf("no command %q: see %s help", name, of)}
}

// unknownFlag is what the flag package says about a flag that isn't defined.
var unknownFlag = regexp.MustCompile(`^flag provided but not defined: -+(.*)$`)

// flagError adds to an error about flags what was meant, and where to read more.
func flagError(c *cli.Context, err error) error {
	help := "gpt --help"
	flags := c.App.Flags
	if c.Command != nil && c.Command.HelpName != "" && c.Command.HelpName != c.App.HelpName {
		help, flags = c.Command.HelpName+" --help", c.Command.Flags
	}
	m := unknownFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return usageError{fmt.Errorf("%w: see %s", err, help)}
	}
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	if meant := suggest.Closest(m[1], names); meant != "" {
		return usageError{fmt.Errorf("no flag %s: did you mean %s? See %s", dashed(m[1]), dashed(meant), help)}
	}
	// What the configuration says has no flag of its own.
	if slices.Contains(names, "set") {
		for _, key := range configs.Keys() {
			if _, field, _ := strings.Cut(key, "."); field == strings.ReplaceAll(m[1], "-", "_") {
				return usageError{fmt.Errorf("no flag %s: did you mean --set %s=VALUE? See %s", dashed(m[1]), key, help)}
			}
		}
	}
	return usageError{fmt.Errorf("no flag %s: see %s", dashed(m[1]), help)}
}

// dashed is a flag as one types it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usageError{fmt.Errorf("%s takes flags only, found %q: see %s --help", c.Command.Name, c.Args().First(), c.Command.HelpName)}
	}
	return nil
}

// ownConfiguration refuses flags with --resume, but for --run and those named: a resumed run
// has its settings from its folder.
func ownConfiguration(c *cli.Context, allowed ...string) error {
	allowed = append(allowed, "resume", "run")
	for _, f := range c.Command.Flags {
		if name := f.Names()[0]; c.IsSet(name) && !slices.Contains(allowed, name) {
			return usageError{fmt.Errorf("--resume takes the run's own configuration: leave out --%s", name)}
		}
	}
	return nil
}

// lines writes joined errors one to a line.
func lines(err error) string { return strings.TrimSpace(err.Error()) }
