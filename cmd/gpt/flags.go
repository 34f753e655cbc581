package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, so that they may stand
// in any order: `gpt import DIR --run NAME`. The flag package of the standard
// library, which the cli package uses, stops at the first argument. What follows
// -- are arguments.
func flagsFirst(app *cli.App, args []string) []string {
	commands, flags, at := app.Commands, app.Flags, 1
	for at < len(args) {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[at]) })
		if i < 0 {
			break
		}
		commands, flags = commands[i].Subcommands, commands[i].Flags
		at++
	}
	if len(commands) > 0 {
		return args // there is no such command
	}
	var found, rest []string
	for at, end := at, len(args); at < end; at++ {
		arg := args[at]
		if arg == "--" {
			rest = append([]string{"--"}, append(rest, args[at+1:]...)...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			rest = append(rest, arg)
			continue
		}
		found = append(found, arg)
		if takesValue(flags, arg) && at+1 < end {
			at++
			found = append(found, args[at])
		}
	}
	return slices.Concat(args[:at], found, rest)
}

// takesValue says whether the flag's value is the next argument.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	for _, f := range flags {
		if d, ok := f.(cli.DocGenerationFlag); ok && slices.Contains(f.Names(), name) {
			return d.TakesValue()
		}
	}
	return false
}
