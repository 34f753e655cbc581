package commands

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/build"
	"tinygpt/model/kernel"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print what this program was built from, and which instructions it uses on this CPU",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			fmt.Fprintf(c.App.Writer, "gpt %s\n", version())
			return nil
		},
	}
}

// version says what this program was built from, and which instructions it uses on
// this CPU.
func version() string { return fmt.Sprintf("%s, %s", build.Read(), kernel.InstructionSet()) }
