package commands

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/study/alignment"
	"tinygpt/train"
)

func alignAllCommand() *cli.Command {
	return &cli.Command{
		Name:  "all",
		Usage: "do all three steps, compare, and draw: InstructGPT from beginning to end",
		Description: `Everything goes into one folder, a run for each step. After Ctrl-C the same command with --run goes
on where it was; without --config, --set and --from it has the settings that it began with.`,
		Flags: []cli.Flag{
			configFlag(yamlFile, "classroom.yaml", "align"),
			setFlag("change a setting", "world.scale=0.1"),
			&cli.StringFlag{Name: "from", Usage: "start from the run in `FOLDER`", DefaultText: "the latest of gpt train"},
			&cli.BoolFlag{Name: "force", Usage: "optimise a reward model that is worse than its baselines"},
			&cli.StringFlag{Name: "run", Usage: "the `FOLDER` of all runs", DefaultText: "runs/instruct-1, or the next that is free"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			s, base, source, err := alignSettings(c)
			if err != nil {
				return err
			}
			out := narration(c)
			dir := c.String("run")
			first := filepath.Join(dir, string(run.SFT))
			kept := dir != "" && !c.IsSet("config") && !c.IsSet("set") && !c.IsSet("from") && run.IsRun(first) == nil
			if kept {
				fmt.Fprintf(out, "configuration: that of %s\n", first)
			} else {
				printConfiguration(out, 15, source, &base, &s.Config)
			}
			if dir == "" {
				if dir, err = run.NextFree("instruct"); err != nil {
					return err
				}
			}
			fmt.Fprintf(out, "folder:        %s\n", dir)
			ctx, stop := interruptible(c)
			defer stop()
			p := terminal.NewStages(c.App.ErrWriter)
			course := &alignment.Course{
				Dir: dir, Settings: s, Kept: kept, Out: out, Progress: p.Show,
				Report: func() train.Report {
					p.Clear()
					return &alignReport{trainReport: newTrainReport(out)}
				},
			}
			err = course.Run(ctx)
			p.Clear()
			if errors.Is(err, train.ErrInterrupted) || ctx.Err() != nil {
				fmt.Fprintf(out, "stopped; go on with: %s\n", command("align", "all", "--run", dir))
				return train.ErrInterrupted
			}
			if err == nil && wantsJSON(c) {
				return printJSON(c, struct {
					Folder string `json:"folder"`
					alignment.Summary
				}{dir, course.Summary})
			}
			return err
		},
	}
}

func alignBestOfCommand() *cli.Command {
	return &cli.Command{
		Name:  "best-of",
		Usage: "draw many answers and keep the best by a reward model: no training at all",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "reward", Usage: "`FOLDER` of a reward model's run", DefaultText: "the latest"},
			&cli.IntFlag{Name: "n", Usage: "draw `N` answers to each prompt", Value: 64},
			&cli.IntFlag{Name: "prompts", Usage: "answer `N` held-out prompts", Value: 60},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			dir, err := run.OrLatest(c.String("reward"), run.Reward)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(c)
			defer stop()
			p := terminal.NewStages(c.App.ErrWriter)
			list, err := alignment.BestOfReward(ctx, dir, c.Int("prompts"), c.Int("n"), p.Show)
			p.Clear()
			if err != nil {
				return err
			}
			if wantsJSON(c) {
				return printJSON(c, list)
			}
			alignment.ShowBestOf(c.App.Writer, "reward", list)
			return nil
		},
	}
}

func alignOveroptimiseCommand() *cli.Command {
	return &cli.Command{
		Name:  "overoptimise",
		Usage: "optimise reward models of growing amounts of data too far, and see what the answers are worth",
		Description: `For each amount of data a reward model is learned from the comparisons of --reward's run, and
optimised by best of n and by PPO without a price of KL (Gao, Schulman and Hilton 2022). The points
are kept in the folder: the same command goes on after Ctrl-C.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "reward", Usage: "`FOLDER` of a reward model's run", DefaultText: "the latest"},
			&cli.IntSliceFlag{Name: "prompts", Usage: "learn a reward model from `N` prompts' comparisons (repeatable)", Value: cli.NewIntSlice(60, 300, 1000)},
			&cli.IntFlag{Name: "n", Usage: "best of up to `N` answers", Value: 64},
			&cli.IntFlag{Name: "held-out", Usage: "to each of `N` held-out prompts", Value: 60},
			&cli.IntFlag{Name: "updates", Usage: "`N` updates of PPO; 0: best of n alone", Value: 40},
			seedsFlag("repeat with `N` seeds", 1),
			&cli.StringFlag{Name: "to", Usage: "`FOLDER` of points and picture", DefaultText: "overoptimise in the reward model's run"},
			formatFlag(),
		},
		Action: func(c *cli.Context) error {
			reward, err := run.OrLatest(c.String("reward"), run.Reward)
			if err != nil {
				return err
			}
			dir := c.String("to")
			if dir == "" {
				dir = filepath.Join(reward, "overoptimise")
			}
			o := alignment.Overoptimisation{Reward: reward, Prompts: c.IntSlice("prompts"), BestOf: c.Int("n"), Held: c.Int("held-out"), Updates: c.Int("updates"), Seeds: c.Int("seeds")}
			ctx, stop := interruptible(c)
			defer stop()
			p := terminal.NewStages(c.App.ErrWriter)
			points, err := o.Run(ctx, dir, p.Show, func(line string) {
				p.Clear()
				fmt.Fprintln(terminal.Prose(narration(c)), line)
			})
			p.Clear()
			if ctx.Err() != nil {
				fmt.Fprintf(narration(c), "stopped; the same command goes on: what is done is in %s\n", dir)
				return train.ErrInterrupted
			}
			if err != nil {
				return err
			}
			if err := alignment.DrawOveroptimisation(dir, points); err != nil {
				return err
			}
			picture := filepath.Join(dir, alignment.OveroptimisationPicture)
			if wantsJSON(c) {
				return printJSON(c, struct {
					Folder  string            `json:"folder"`
					Points  []alignment.Point `json:"points"`
					Picture string            `json:"picture"`
				}{dir, points, picture})
			}
			alignment.ShowOveroptimisation(c.App.Writer, points)
			fmt.Fprintf(c.App.Writer, "picture: %s\n", picture)
			return nil
		},
	}
}
