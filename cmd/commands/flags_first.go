package commands

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, so that users may give them
// in any order: `gpt import DIR --run NAME`. The flag package of the standard library,
// which the cli package uses, stops at the first argument. What follows -- are
// arguments.
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
	if len(commands) > 0 && len(flags) == 0 || at == 1 {
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
		arg = current(flags, arg)
		name, value, assigned := strings.Cut(arg, "=")
		if !assigned {
			if !takesValue(flags, arg) || at+1 >= end {
				found = append(found, arg)
				continue
			}
			at++
			value = args[at]
		}
		if name == "--format" {
			name = currentFormat(flags, value)
		}
		values := []string{value}
		if isList(flags, name) {
			values = strings.Split(value, ",")
		}
		for _, value := range values {
			if isInteger(flags, name) {
				value = decimal(strings.TrimSpace(value))
			}
			if assigned {
				found = append(found, name+"="+value)
			} else {
				found = append(found, name, value)
			}
		}
		// A shell makes several arguments of --data *.txt.
		for name, isData := dataFlag(flags, arg); isData && at+1 < end && (args[at+1] == "-" || !strings.HasPrefix(args[at+1], "-")); {
			at++
			found = append(found, name, args[at])
		}
	}
	return slices.Concat(args[:at], found, rest)
}

// dataFlag says whether an argument is the flag --data, of those that may be repeated,
// and how it is spelt.
func dataFlag(flags []cli.Flag, arg string) (name string, is bool) {
	name, _, _ = strings.Cut(arg, "=")
	for _, f := range flags {
		if s, ok := f.(*cli.StringSliceFlag); ok && s.Name == "data" && slices.Contains(f.Names(), strings.TrimLeft(name, "-")) {
			return name, true
		}
	}
	return name, false
}

// isInteger says whether an argument is a flag of whole numbers.
func isInteger(flags []cli.Flag, arg string) bool {
	for _, f := range flags {
		if slices.Contains(f.Names(), strings.TrimLeft(arg, "-")) {
			switch f.(type) {
			case *cli.IntFlag, *cli.Int64Flag, *cli.UintFlag, *cli.Uint64Flag, *cli.IntSliceFlag:
				return true
			}
		}
	}
	return false
}

// octal is what the flag package would read as octal.
var octal = regexp.MustCompile(`^([-+]?)0+([0-9]+)$`)

// decimal is a number without zeros before it: 010 is ten.
func decimal(value string) string { return octal.ReplaceAllString(value, "$1$2") }

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
