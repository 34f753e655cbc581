package commands

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/configs/manual"
	"tinygpt/internal/suggest"
	"tinygpt/run"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:      "config",
		Usage:     "print a configuration with a comment for every key, or what keys there are",
		ArgsUsage: "[PRESET | FILE | RUN]",
		Description: "What is printed can be kept as a file, changed, and given to --config. Without an argument it is that of\n" +
			"small.yaml. The presets are:\n\n" + presetList() + "\n\nWith --keys, the argument is a part of a key: gpt config --keys learning_rate.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "keys", Usage: "explain the keys of all kinds of configurations instead, or those that have the argument in them"},
			setFlag("change a setting", "model.layers=6"),
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usageError{fmt.Errorf("config takes one name, found %d arguments: see %s --help", c.NArg(), c.Command.HelpName)}
			}
			if c.Bool("keys") {
				return printKeys(c, c.Args().First())
			}
			name := c.Args().First()
			if name == "" {
				name = "small.yaml"
			}
			k, config, err := manual.Load(run.Named(name))
			if err != nil {
				return err
			}
			if err := set(c, config); err != nil {
				return err
			}
			if !wantsJSON(c) {
				return k.Write(c.App.Writer, config)
			}
			text, err := configs.Encode(reflect.ValueOf(config).Elem().Interface())
			if err != nil {
				return err
			}
			var values any
			if err := configs.Peek(text, "", &values); err != nil {
				return err
			}
			return printJSON(c, values)
		},
	}
}

// presetList is the presets of each kind, for the help.
func presetList() string {
	var lines []string
	for _, k := range manual.Kinds() {
		if len(k.Presets) > 0 {
			lines = append(lines, fmt.Sprintf("   gpt %s: %s", k.Command, strings.Join(k.Presets, ", ")))
		}
	}
	return strings.Join(lines, "\n")
}

// printKeys explains the keys that have part in their name.
func printKeys(c *cli.Context, part string) error {
	type ofKind struct {
		Command  string           `json:"command"`
		Sections []manual.Section `json:"sections"`
	}
	var found []ofKind
	var names []string
	for _, k := range manual.Kinds() {
		list := ofKind{Command: "gpt " + k.Command}
		for _, s := range k.Sections() {
			for _, key := range s.Keys {
				_, field, _ := strings.Cut(key.Name, ".")
				names = append(append(names, key.Name, field), strings.FieldsFunc(field, func(r rune) bool { return r == '_' || r == '.' })...)
			}
			s.Keys = slices.DeleteFunc(s.Keys, func(k manual.Key) bool { return !strings.Contains(k.Name, part) })
			if len(s.Keys) > 0 {
				list.Sections = append(list.Sections, s)
			}
		}
		if len(list.Sections) > 0 {
			found = append(found, list)
		}
	}
	if len(found) == 0 {
		hint := "gpt config --keys lists all"
		if meant := suggest.Closest(part, names); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		return usageError{fmt.Errorf("no key has %q in it: %s", part, hint)}
	}
	if wantsJSON(c) {
		return printJSON(c, found)
	}
	w := c.App.Writer
	for i, list := range found {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "──── %s ────\n\n", list.Command)
		if err := manual.Print(w, list.Sections); err != nil {
			return err
		}
	}
	return nil
}
