package commands

import (
	"errors"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/study/alignment"
)

func alignCompareCommand() *cli.Command {
	return &cli.Command{
		Name:      "compare",
		Usage:     "have models answer the same held-out prompts, and see whose answers are preferred",
		ArgsUsage: "[RUN ...]",
		Description: `The first run is what the others are compared with. A folder may be followed by a number of solved
examples to put before each prompt, for models that were never taught conversations: runs/small-1:3.
Without folders the latest sft, ppo, dpo and grpo runs are compared.`,
		Flags: []cli.Flag{
			configFlag(yamlFile, "align.yaml", "align"),
			setFlag("change a setting", "world.seed=2"),
			&cli.IntFlag{Name: "prompts", Usage: "answer `N` prompts", DefaultText: "the configuration's"},
			&cli.IntFlag{Name: "answers", Usage: "print the answers to prompts of `N` tasks", Value: 3},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			s, _, _, err := alignSettings(c)
			if err != nil {
				return err
			}
			dirs := c.Args().Slice()
			if len(dirs) == 0 {
				for _, kind := range []run.Kind{run.SFT, run.PPO, run.DPO, run.GRPO} {
					if dir, err := run.Latest(run.Root, kind); err == nil {
						dirs = append(dirs, dir)
					}
				}
			}
			if len(dirs) == 0 {
				return errors.New("no aligned run to compare: make one with `gpt align sft`, or name folders")
			}
			var list []*alignment.Contestant
			for _, dir := range dirs {
				x, err := alignment.OpenContestant(contestant(dir))
				if err != nil {
					return err
				}
				list = append(list, x)
			}
			n := s.Evaluation.Prompts
			if c.IsSet("prompts") {
				n = c.Int("prompts")
			}
			ctx, stop := interruptible(c)
			defer stop()
			p := terminal.NewStages(c.App.ErrWriter)
			result, err := alignment.Compare(ctx, list, s, n, p.Show)
			p.Clear()
			if err != nil {
				return err
			}
			if wantsJSON(c) {
				return printJSON(c, struct {
					Prompts int `json:"prompts"`
					*alignment.Comparison
					Answered []alignment.Answered `json:"answered"`
				}{len(result.Prompts), result, result.Answered(c.Int("answers"))})
			}
			result.Show(c.App.Writer)
			result.ShowAnswers(terminal.Prose(c.App.Writer), c.Int("answers"))
			return nil
		},
	}
}

// contestant divides RUN:N into the run and the number of solved examples before a prompt.
func contestant(name string) (dir string, shots int) {
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n >= 0 {
			return name[:i], n
		}
	}
	return name, 0
}
