package commands

import (
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/internal/terminal"
)

func alignCommand() *cli.Command {
	return &cli.Command{
		Name:  "align",
		Usage: "teach a trained model to follow instructions, as InstructGPT was",
		Description: "The three steps of InstructGPT are sft, reward and ppo; each starts from the latest run of the one\n" +
			"before. The data are those of a built-in world, where it is known what an answer is worth, or yours:\n" +
			"JSON lines with prompt and response, messages, chosen and rejected, or answers with ranks (--data).\n" +
			"Configurations: " + strings.Join(align.Presets(), ", ") + ", or a YAML file.",
		Subcommands: []*cli.Command{
			alignDataCommand(), alignSFTCommand(), alignRewardCommand(), alignPPOCommand(), alignDPOCommand(), alignGRPOCommand(),
			alignCompareCommand(), alignBestOfCommand(), alignOveroptimiseCommand(), alignAllCommand(),
		},
	}
}

func alignDataCommand() *cli.Command {
	return &cli.Command{
		Name:  "data",
		Usage: "show the built-in instructions next to the paper's table",
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "scale", Usage: "prompts for each of the paper's", Value: 0.1},
			&cli.Uint64Flag{Name: "seed", Usage: "seed of the prompts", Value: 1},
			&cli.BoolFlag{Name: "examples", Usage: "print a prompt of each task, with its demonstration"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			w := instruct.NewWorld(c.Uint64("seed"), c.Float64("scale"))
			var examples []instruct.Prompt
			if c.Bool("examples") {
				examples = w.Examples()
			}
			if wantsJSON(c) {
				return printJSON(c, struct {
					Scale    float64           `json:"scale"`
					Counts   []instruct.Count  `json:"counts"`
					Examples []instruct.Prompt `json:"examples,omitempty"`
				}{w.Scale, w.Counts(), examples})
			}
			w.Show(c.App.Writer)
			instruct.ShowExamples(terminal.Prose(c.App.Writer), examples)
			return nil
		},
	}
}
