package commands

import (
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"

	"github.com/urfave/cli/v2"
)

// Old names of flags are understood as the new ones, and are in no help; lists may be given
// with commas or by repeating the flag.
func TestRenamedFlags(t *testing.T) {
	flags := []cli.Flag{&cli.StringFlag{Name: "to"}, &cli.StringFlag{Name: "format"}, &cli.StringFlag{Name: "as"}, &cli.IntSliceFlag{Name: "layers"},
		&cli.StringSliceFlag{Name: "method"}, &cli.StringSliceFlag{Name: "stop"}}
	app := &cli.App{Commands: []*cli.Command{{Name: "run", Flags: flags}, {Name: "old", Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}, &cli.StringFlag{Name: "output"}}}}}
	expect.Texts(t, map[string]string{
		"gpt run --output x a":                 "gpt run --to x a",
		"gpt run a -o x --out=y":               "gpt run --to x --to=y a",
		"gpt run --curve x --plot y":           "gpt run --to x --to y",
		"gpt run --json a":                     "gpt run --format=json a",
		"gpt run --format gguf":                "gpt run --as gguf",
		"gpt run --format=huggingface":         "gpt run --as=huggingface",
		"gpt run --format json":                "gpt run --format json",
		"gpt run --layers 1,02,3 --layers=4,5": "gpt run --layers 1 --layers 2 --layers 3 --layers=4 --layers=5",
		"gpt run --method a,b --stop a,b":      "gpt run --method a --method b --stop a,b",
		"gpt old --json --output x":            "gpt old --json --output x",
		"gpt old --to x":                       "gpt old --to x",
	}, arranged(app))
}

// allCommands are the commands that do something, with the words that call them.
func allCommands() map[string]*cli.Command {
	found := map[string]*cli.Command{}
	var walk func(list []*cli.Command, before []string)
	walk = func(list []*cli.Command, before []string) {
		for _, c := range list {
			path := append(slices.Clone(before), c.Name)
			if len(c.Subcommands) == 0 || len(c.Flags) > 0 {
				found[strings.Join(path, " ")] = c
			}
			walk(c.Subcommands, path)
		}
	}
	walk(newApp().Commands, nil)
	return found
}

// What a command's help lists it doesn't refuse, and what all commands have in common has
// the same name everywhere.
func TestFlagsOfAllCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	commands := allCommands()
	if len(commands) < 40 {
		t.Fatalf("%d commands", len(commands))
	}
	for name, c := range commands {
		help := succeed(t, append(strings.Fields(name), "--help")...)
		for _, f := range c.Flags {
			flag := f.Names()[0]
			visible := strings.Contains(help, dashed(flag))
			if hidden, ok := f.(cli.VisibleFlag); ok && visible != hidden.IsVisible() {
				t.Errorf("gpt %s: --%s is in the help: %v", name, flag, visible)
			}
			if slices.Contains([]string{"output", "out", "json", "plot", "curve"}, flag) {
				t.Errorf("gpt %s has --%s: outputs are --to, JSON is --format json", name, flag)
			}
			if d, ok := f.(cli.DocGenerationFlag); !visible || !ok || hasFlag(c.Flags, "config") == false || flag == "config" || name == "serve" || flag == "resume" {
				continue
			} else {
				// The configuration isn't there, so nothing begins.
				args := append(strings.Fields(name), "--config", "none-such.yaml", "--"+flag)
				if d.TakesValue() {
					args = append(args, "1")
				}
				if _, _, stderr := gpt(args...); strings.Contains(stderr, "leave out --"+flag) || strings.Contains(stderr, "no flag --"+flag) || strings.Contains(stderr, "leave them out") {
					t.Errorf("gpt %s lists --%s in its help and refuses it: %s", name, flag, stderr)
				}
			}
		}
	}
}
