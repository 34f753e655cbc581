package commands

import (
	"strings"
	"testing"

	"tinygpt/internal/expect"

	"github.com/urfave/cli/v2"
)

// arranged returns what flagsFirst makes of a command line.
func arranged(app *cli.App) func(line string) string {
	return func(line string) string { return strings.Join(flagsFirst(app, strings.Fields(line)), " ") }
}

func TestFlagsFirst(t *testing.T) {
	app := &cli.App{Commands: []*cli.Command{
		{Name: "run", Flags: []cli.Flag{&cli.StringFlag{Name: "text", Aliases: []string{"t"}}, &cli.Float64Flag{Name: "x"}, &cli.IntFlag{Name: "n"}, &cli.BoolFlag{Name: "yes"}}},
		{Name: "data", Flags: []cli.Flag{&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}}, &cli.BoolFlag{Name: "yes"}}},
		{Name: "outer", Subcommands: []*cli.Command{{Name: "inner", Flags: []cli.Flag{&cli.StringFlag{Name: "text"}}}}},
	}}
	expect.Texts(t, map[string]string{
		"gpt":                               "gpt",
		"gpt --help":                        "gpt --help",
		"gpt run":                           "gpt run",
		"gpt run a --text b":                "gpt run --text b a",
		"gpt run a -t b c --yes d":          "gpt run -t b --yes a c d",
		"gpt run a --text=b c":              "gpt run --text=b a c",
		"gpt run --x -1 a --yes":            "gpt run --x -1 --yes a",
		"gpt run a --unknown b":             "gpt run --unknown a b",
		"gpt run - --yes":                   "gpt run --yes -",
		"gpt run a --yes -- --text -- b":    "gpt run --yes -- a --text -- b",
		"gpt run a --text":                  "gpt run --text a",
		"gpt run --n 010 --n=-0777 --n 0":   "gpt run --n 10 --n=-777 --n 0",
		"gpt run --n 0x10 --text 010":       "gpt run --n 0x10 --text 010",
		"gpt data --data a b c --yes d":     "gpt data --data a --data b --data c --yes d",
		"gpt data --data=a b - -d c d":      "gpt data --data=a --data b --data - -d c -d d",
		"gpt data --yes --data a -- b":      "gpt data --yes --data a -- b",
		"gpt outer inner a --text inner":    "gpt outer inner --text inner a",
		"gpt none a --text b":               "gpt none a --text b",
		"gpt run run --text outer":          "gpt run --text outer run",
		"gpt outer a inner --text inner -y": "gpt outer a inner --text inner -y",
	}, arranged(app))
}
