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
		Usage: "print what this program was built from, and which instructions it uses",
		Flags: []cli.Flag{formatFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if wantsJSON(c) {
				b := build.Read()
				return printJSON(c, struct {
					Version      string `json:"version"`
					Commit       string `json:"commit,omitempty"`
					Modified     bool   `json:"modified,omitempty"`
					Go           string `json:"go"`
					System       string `json:"system"`
					Instructions string `json:"instructions"`
				}{b.Version, b.Commit, b.Modified, b.Go, b.System, kernel.InstructionSet()})
			}
			fmt.Fprintf(c.App.Writer, "gpt %s\n", version())
			return nil
		},
	}
}

// version says what this program was built from, and which instructions it uses on
// this CPU.
func version() string { return fmt.Sprintf("%s, %s", build.Read(), kernel.InstructionSet()) }
