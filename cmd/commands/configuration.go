package commands

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/configs"
	"tinygpt/configs/manual"
	"tinygpt/internal/terminal"
	"tinygpt/run"
)

// asked is what the flags ask for.
type asked struct {
	configs.Config
	base     configs.Config // before flags changed it
	source   string         // where it is from, in words
	parent   *run.Run       // the run to begin from; nil: none
	ownSplit bool           // the user has said how much is held out
}

// configuration puts together what the flags ask for.
func configuration(c *cli.Context) (a asked, err error) {
	from, by := c.String("from"), "--from"
	if c.IsSet("config") || from == "" {
		if a.Config, a.source, err = configs.Load(c.String("config")); err != nil {
			return a, err
		}
		a.ownSplit = strings.HasPrefix(a.source, "file ")
	}
	if from == "" {
		from, by = a.Weights.From, "weights.from of the configuration"
	}
	if from != "" {
		if a.parent, err = run.Open(from); err != nil {
			return a, fmt.Errorf("%s: %w", by, err)
		}
		if a.source == "" {
			a.Config, a.source = a.parent.Config, "that of "+a.parent.Dir
		}
		a.Config = a.parent.Continue(a.Config)
	}
	a.base = a.Config
	if files := c.StringSlice("data"); len(files) > 0 {
		a.Data.Files, a.Data.StoriesBytes = files, 0
	}
	if c.IsSet("encoding") {
		a.Data.Encoding = c.String("encoding")
	}
	switch kind := c.String("tokenizer"); {
	case kind != "" && a.parent != nil:
		return a, usageError{fmt.Errorf("--tokenizer: a run from %s has that run's tokenizer", a.parent.Dir)}
	case slices.Contains(configs.TokenizerKinds, kind):
		a.Tokenizer.Kind, a.Tokenizer.File = kind, ""
	case kind != "":
		if a.Tokenizer.File, err = tokenizerNamed(kind, configs.TokenizerKinds...); err != nil {
			return a, err
		}
	}
	for _, s := range c.StringSlice("set") {
		if err := a.Set(s); err != nil {
			return a, err
		}
		a.ownSplit = a.ownSplit || strings.HasPrefix(s, "data.val_fraction=")
	}
	if c.IsSet("on-spike") {
		a.Train.OnSpike = c.String("on-spike")
	}
	if a.Tokenizer.File != "" {
		a.Tokenizer.Kind, a.Tokenizer.VocabSize = "", 0
	}
	if err := a.Validate(); err != nil {
		return a, fmt.Errorf("configuration, %s: %w", a.source, err)
	}
	if a.parent != nil {
		err = a.parent.CheckContinued(a.Config)
	}
	return a, err
}

// printConfiguration says where a configuration is from, and what the command line changes
// in it. Both are pointers to settings. What is said begins in that column.
func printConfiguration(out io.Writer, column int, source string, base, changed any) {
	fmt.Fprintf(out, "%-*s%s\n", column, "configuration:", source)
	for _, change := range manual.Changes(base, changed) {
		fmt.Fprintln(out, terminal.Fit(strings.Repeat(" ", column)+"with "+change, terminal.Width(out)))
	}
}
