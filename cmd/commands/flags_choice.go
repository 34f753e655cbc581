package commands

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/suggest"
)

// choiceFlag is a flag whose value is one of several. Another one is refused before the
// command begins, with the one that was meant; a shell completes them.
type choiceFlag struct {
	*cli.StringFlag
	choices []string
}

// choice makes a flag with these choices; a value of "" is what it is without the flag.
func choice[T ~string](name, usage string, value T, choices ...T) *choiceFlag {
	f := &choiceFlag{StringFlag: &cli.StringFlag{Name: name, Usage: usage, Value: string(value)}}
	for _, c := range choices {
		f.choices = append(f.choices, string(c))
	}
	f.Action = func(_ *cli.Context, found string) error {
		if !slices.Contains(f.choices, found) {
			return usageError{fmt.Errorf("--%s is %q: %s", name, found, suggest.Expected(found, f.choices...))}
		}
		return nil
	}
	return f
}

// by sets what the help gives as the default.
func (f *choiceFlag) by(text string) *choiceFlag {
	f.DefaultText = text
	return f
}
