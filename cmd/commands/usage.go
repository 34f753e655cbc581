package commands

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/internal/shell"
	"tinygpt/internal/suggest"
	"tinygpt/run"
)

// usageError is an error in how the command was called.
type usageError struct{ error }

// prepare gives a command and its subcommands what all commands have in common: errors
// that execute prints, suggestions for mistyped names, an error about arguments if
// ArgsUsage has none, and an action for a command that only holds others.
func prepare(c *cli.Command) {
	c.OnUsageError = func(ctx *cli.Context, err error, _ bool) error { return flagError(ctx, err) }
	for _, s := range c.Subcommands {
		prepare(s)
	}
	holds := len(c.Subcommands) > 0 // help, which the cli package adds, aside
	if action := c.Action; action != nil {
		if c.ArgsUsage == "" {
			c.Action = func(ctx *cli.Context) error {
				if name := ctx.Args().First(); name != "" && holds && flagOf(ctx, name) == "" {
					return noCommand(name, c.Subcommands, c.HelpName)
				}
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
		if !c.Hidden {
			names = append(names, c.Names()...)
		}
	}
	meant := of + " " + suggest.Closest(name, names)
	if strings.HasSuffix(meant, " ") {
		meant = commandsElsewhere[of+" "+name]
	}
	for _, c := range commands {
		if slices.ContainsFunc(c.Subcommands, func(s *cli.Command) bool { return s.Name == name }) && meant == "" {
			meant = fmt.Sprintf("%s %s %s", of, c.Name, name)
		}
	}
	if meant != "" {
		return usageError{fmt.Errorf("no command %q: did you mean %s?", name, meant)}
	}
	return usageError{fmt.Errorf("no command %q: see %s help", name, of)}
}

// commandsElsewhere maps what one tries, since other programs have it, to what does it here.
var commandsElsewhere = map[string]string{
	"gpt generate": "gpt sample", "gpt infer": "gpt sample", "gpt run": "gpt sample",
	"gpt predict": "gpt classify", "gpt perplexity": "gpt eval", "gpt test": "gpt eval", "gpt pretrain": "gpt train", "gpt fit": "gpt train",
	"gpt server": "gpt serve", "gpt ui": "gpt serve", "gpt tokenize": "gpt tokenizer encode", "gpt word2vec": "gpt vectors train", "gpt glove": "gpt vectors train",
	"gpt list": "gpt runs", "gpt ls": "gpt runs", "gpt models": "gpt runs", "gpt rm": "gpt runs remove", "gpt presets": "gpt config",
	"gpt runs list": "gpt runs", "gpt runs ls": "gpt runs", "gpt runs rm": "gpt runs remove", "gpt runs delete": "gpt runs remove",
}

// unknownFlag is what the flag package says about a flag that isn't defined.
var unknownFlag = regexp.MustCompile(`^flag provided but not defined: -+(.*)$`)

// badValue and noValue are what it says about a value that isn't what the flag takes.
var (
	badValue = regexp.MustCompile(`^invalid (?:boolean )?value "(.*)" for (?:flag )?-+([^ :]+): .*$`)
	noValue  = regexp.MustCompile(`^flag needs an argument: -+(.*)$`)
)

// expectedOf says what values a flag takes.
func expectedOf(flags []cli.Flag, name string) string {
	for _, f := range flags {
		if !slices.Contains(f.Names(), name) {
			continue
		}
		switch f.(type) {
		case *cli.UintFlag, *cli.Uint64Flag:
			return "a whole number of 0 or more"
		case *cli.Float64Flag:
			return "a number"
		case *cli.DurationFlag:
			return "a time like 30s or 5m"
		case *cli.BoolFlag:
			return "true or false"
		}
	}
	return "a whole number"
}

// flagError adds to an error about flags what was meant, and where to read more.
func flagError(c *cli.Context, err error) error {
	help := "gpt --help"
	flags := c.App.Flags
	if c.Command != nil && c.Command.HelpName != "" && c.Command.HelpName != c.App.HelpName {
		help, flags = c.Command.HelpName+" --help", c.Command.Flags
	}
	if m := badValue.FindStringSubmatch(err.Error()); m != nil {
		return usageError{fmt.Errorf("%s is %q: expected %s. See %s", dashed(m[2]), m[1], expectedOf(flags, m[2]), help)}
	}
	if m := noValue.FindStringSubmatch(err.Error()); m != nil {
		return usageError{fmt.Errorf("%s has no value: see %s", dashed(m[1]), help)}
	}
	m := unknownFlag.FindStringSubmatch(err.Error())
	if m == nil {
		return usageError{fmt.Errorf("%w: see %s", err, help)}
	}
	if meant := meantFlag(strings.TrimPrefix(c.Command.HelpName, c.App.Name+" "), flags, m[1]); meant != "" {
		return usageError{fmt.Errorf("no flag %s: did you mean %s? See %s", dashed(m[1]), meant, help)}
	}
	if m[1] == "run" && strings.Contains(c.Command.ArgsUsage, "RUN") {
		return usageError{fmt.Errorf("no flag --run: a run is named without it, as in %s small-1. See %s", c.Command.HelpName, help)}
	}
	return usageError{fmt.Errorf("no flag %s: see %s", dashed(m[1]), help)}
}

// flagsElsewhere maps names that other programs use for flags to what a user writes
// here. They aren't aliases: the error about them says what to write.
var flagsElsewhere = map[string]string{
	"port": "addr HOST:PORT", "host": "addr HOST:PORT", "listen": "addr HOST:PORT", "bind": "addr HOST:PORT",
	"api-key": "api-key-file FILE", "model": "run FOLDER", "checkpoint-dir": "run FOLDER", "model-name-or-path": "from FOLDER", "init-from": "from FOLDER",
	"max-new-tokens": "max-tokens N", "max-length": "max-tokens N", "n-predict": "max-tokens N", "length": "max-tokens N",
	"num-return-sequences": "num-samples N", "repeat-penalty": "repetition-penalty X", "text": "prompt TEXT",
	"dataset": "data FILE", "input": "data FILE", "data": "file FILE", "train-file": "data FILE", "validation-file": "dev FILE", "test-file": "test FILE",
	"output-dir": "to FOLDER", "out-dir": "run FOLDER", "save": "to FILE", "run": "tokenizer FOLDER", "quantize": "weights int8", "num-train-epochs": "epochs N",
	"vector-size": "dim N", "size": "dim N", "sg": "model sgns", "cbow": "model cbow", "vocabulary-size": "vocab-size N",
}

// meantFlag is what was meant by a flag that a command doesn't have, as one types it: a
// flag, one that is called otherwise elsewhere, or a setting of the configuration, which
// has no flag of its own. "" if nothing is like it.
func meantFlag(command string, flags []cli.Flag, name string) string {
	var spellings []string
	written := map[string]string{} // by spelling; the first one counts
	add := func(spelling, as string) {
		if spellings = append(spellings, spelling); written[spelling] == "" {
			written[spelling] = as
		}
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			add(n, dashed(n))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(flagsElsewhere)) {
		if flag, _, _ := strings.Cut(flagsElsewhere[n], " "); hasFlag(flags, flag) {
			add(n, dashed(flagsElsewhere[n]))
		}
	}
	if hasFlag(flags, "set") {
		keys := keysOf(command)
		for _, key := range keys {
			_, field, _ := strings.Cut(key, ".")
			add(field, "--set "+key+"=VALUE")
			add(key, "--set "+key+"=VALUE")
		}
		for _, n := range slices.Sorted(maps.Keys(configs.Elsewhere)) {
			if key := configs.Elsewhere[n]; slices.Contains(keys, key) {
				add(n, "--set "+key+"=VALUE")
			}
		}
	}
	return written[suggest.Closest(name, spellings)]
}

// keysOf lists the settings that a command's --set takes.
func keysOf(command string) (names []string) {
	k := kindOf(command)
	if k == nil {
		return configs.Keys()
	}
	for _, s := range k.Sections() {
		for _, key := range s.Keys {
			names = append(names, key.Name)
		}
	}
	return names
}

// dashed is a flag as one types it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// noArguments refuses arguments of a command that takes none, and says of the first one
// which flag it is the value of.
func noArguments(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	found := c.Args().First()
	hint := fmt.Sprintf("see %s --help", c.Command.HelpName)
	if flag := flagOf(c, found); flag != "" {
		hint = fmt.Sprintf("did you mean %s?", shell.Command("--"+flag, found))
	}
	return usageError{fmt.Errorf("%s takes flags only, found %q: %s", c.Command.Name, found, hint)}
}

// flagOf is the flag that an argument is the value of, by what it names: a configuration,
// a run, or a file. "" if it names none of them, or the command has no such flag.
func flagOf(c *cli.Context, argument string) string {
	var flags []string
	if extension := filepath.Ext(argument); extension == ".yaml" || extension == ".yml" {
		flags = append(flags, "config")
	}
	if run.IsRun(run.Named(argument)) == nil {
		flags = append(flags, "run", "from")
	}
	if _, err := os.Stat(argument); err == nil {
		flags = append(flags, "data", "task")
	}
	i := slices.IndexFunc(flags, func(name string) bool { return hasFlag(c.Command.Flags, name) })
	if i < 0 {
		return ""
	}
	return flags[i]
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
