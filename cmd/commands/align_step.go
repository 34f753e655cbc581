package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"tinygpt/align"
	"tinygpt/internal/terminal"
	"tinygpt/run"
	"tinygpt/study/alignment"
	"tinygpt/train"
)

func alignSFTCommand() *cli.Command {
	return alignStep(run.SFT, "step 1: show the model how to answer (supervised fine-tuning)",
		&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "demonstrations in `FILE` in place of the built-in ones (repeatable)"})
}

func alignRewardCommand() *cli.Command {
	return alignStep(run.Reward, "step 2: learn from comparisons what an answer is worth (reward model)",
		&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "comparisons in `FILE` in place of the built-in ones (repeatable)"},
		&cli.StringFlag{Name: "answers-from", Usage: "compare answers of the run in `FOLDER`: the reward model may be larger than the policy", DefaultText: "the run that it starts from"})
}

func alignPPOCommand() *cli.Command {
	return alignStep(run.PPO, "step 3: reinforcement learning for the reward (PPO)", policyFlags()...)
}

func alignGRPOCommand() *cli.Command {
	return alignStep(run.GRPO, "the same with groups of answers in place of a value model (GRPO)", policyFlags()...)
}

func alignDPOCommand() *cli.Command {
	return alignStep(run.DPO, "learn from comparisons without a reward model (DPO, IPO, hinge)",
		&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "comparisons in `FILE` (repeatable)"},
		&cli.StringFlag{Name: "comparisons", Usage: "learn from the comparisons of the reward model's run in `FOLDER`", DefaultText: "the latest"})
}

// policyFlags are those of reinforcement learning. The filters are there to be refused.
func policyFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringSliceFlag{Name: "data", Aliases: []string{"d"}, Usage: "answer the prompts of `FILE` in place of the built-in ones (repeatable)"},
		&cli.StringFlag{Name: "reward", Usage: "the reward: `FOLDER` of a reward model's run, or gold", DefaultText: "the latest reward model"},
		&cli.StringFlag{Name: "reward-command", Usage: "the reward: `COMMAND` that reads JSON lines {messages, answer} and writes {score}; with --resume the run's own, once more"},
		&cli.Float64Flag{Name: "max-kl", Usage: "stop when an answer is `N` nats away from the reference", DefaultText: "the configuration's"},
		&cli.BoolFlag{Name: "force", Usage: "optimise a reward model that is worse than its baselines"},
	}
	for _, name := range samplingFlags {
		flags = append(flags, &cli.StringFlag{Name: name, Hidden: true})
	}
	return flags
}

var samplingFlags = []string{"temperature", "top-k", "top-p", "min-p", "repetition-penalty"}

// alignStep is the command of a step.
func alignStep(kind run.Kind, usage string, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  string(kind),
		Usage: usage,
		Flags: append([]cli.Flag{
			configFlag(yamlFile, "align.yaml", "align"),
			setFlag("change a setting", "ppo.kl=0.05"),
			&cli.StringFlag{Name: "from", Usage: "start from the run in `FOLDER`", DefaultText: "the latest that fits"},
			newRunFlag(),
			resumeFlag(),
			formatFlag(),
		}, flags...),
		Action: func(c *cli.Context) error {
			for _, name := range samplingFlags {
				if c.IsSet(name) {
					return usageError{fmt.Errorf("--%s: answers are drawn from the policy itself, since the log-probabilities that it learns by are of that; with a filter or another temperature they would be of other answers, and the KL wrong", name)}
				}
			}
			if c.Bool("resume") {
				return resumeAlign(c, kind)
			}
			s, err := alignConfiguration(c)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(c)
			defer stop()
			p := terminal.NewStages(c.App.ErrWriter)
			t, err := alignment.Start(ctx, kind, s, c.String("run"), p.Show)
			p.Clear()
			if err != nil {
				return alignStopped(c, t, 0, err)
			}
			return trainAlign(ctx, c, t)
		},
	}
}

// alignConfiguration is alignSettings for a training, and prints what they are.
func alignConfiguration(c *cli.Context) (s alignment.Settings, err error) {
	s, base, source, err := alignSettings(c)
	if err == nil {
		printConfiguration(narration(c), 15, source, &base, &s.Config)
	}
	return s, err
}

// alignSettings puts together what the flags make of base, which is from source.
func alignSettings(c *cli.Context) (s alignment.Settings, base align.Config, source string, err error) {
	if base, source, err = align.Load(c.String("config")); err != nil {
		return s, base, "", err
	}
	s.Config = base
	if err := set(c, &s.Config); err != nil {
		return s, base, "", err
	}
	s.From, s.Data, s.Force = c.String("from"), c.StringSlice("data"), c.Bool("force")
	s.RewardFrom = c.String("reward") + c.String("comparisons")
	s.AnswersFrom = c.String("answers-from")
	if command := c.String("reward-command"); command != "" {
		if s.RewardFrom != "" {
			return s, base, "", usageError{errors.New("--reward and --reward-command: expected one of them")}
		}
		s.RewardFrom = alignment.CommandReward + command
	}
	if c.IsSet("max-kl") {
		s.PPO.MaxKL, s.GRPO.MaxKL = c.Float64("max-kl"), c.Float64("max-kl")
	}
	return s, base, source, nil
}

// resumeAlign goes on with a run.
func resumeAlign(c *cli.Context, kind run.Kind) error {
	if err := ownConfiguration(c, "format", "reward-command"); err != nil {
		return err
	}
	dir, err := run.OrLatest(c.String("run"), kind)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(c)
	defer stop()
	p := terminal.NewStages(c.App.ErrWriter)
	t, steps, err := alignment.Resume(ctx, dir, c.String("reward-command"), p.Show)
	p.Clear()
	if err != nil {
		return alignStopped(c, t, steps, err)
	}
	fmt.Fprintf(narration(c), "resuming %s at step %d of %d\n", dir, steps, t.Session.Trainer.Config.Steps)
	if steps >= t.Session.Trainer.Config.Steps {
		fmt.Fprintln(narration(c), "note: all its steps are made: only what comes after the last one is done again")
	}
	return trainAlign(ctx, c, t)
}

// trainAlign runs a step on the terminal. ctx is that of its preparation, so that Ctrl-C
// then isn't forgotten here.
func trainAlign(ctx context.Context, c *cli.Context, t *alignment.Training) error {
	out, trainer := narration(c), t.Session.Trainer
	fmt.Fprintf(out, "run folder:    %s\n", t.Run.Dir)
	for _, note := range t.Session.Notes {
		fmt.Fprintln(terminal.Prose(out), note)
	}
	trainer.Report = &alignReport{trainReport: newTrainReport(out)}
	settleMemory()
	result, stopped, err := t.Train(ctx)
	if err != nil {
		return alignStopped(c, t, result.State.Step, err)
	}
	if stopped != nil {
		fmt.Fprintf(terminal.Prose(out), "stopped early: %s\n", stopped)
	}
	if wantsJSON(c) {
		measures, err := t.Measures()
		if err != nil {
			return err
		}
		early := ""
		if stopped != nil {
			early = stopped.Error()
		}
		return printJSON(c, struct {
			Run      string                `json:"run"`
			Kind     run.Kind              `json:"kind"`
			Steps    int                   `json:"steps"`
			Seconds  float64               `json:"seconds"`
			BestStep int                   `json:"best_step,omitempty"`
			Early    string                `json:"stopped_early,omitempty"`
			Measures *align.RewardMeasures `json:"measures,omitempty"`
		}{t.Run.Dir, t.Run.Kind, result.State.Step, result.State.Elapsed.Seconds(), result.State.BestStep, early, measures})
	}
	return t.Show(out)
}

// alignStopped says how to go on, if it was an interrupt that stopped the work.
func alignStopped(c *cli.Context, t *alignment.Training, step int, err error) error {
	if errors.Is(err, train.ErrInterrupted) {
		fmt.Fprintf(narration(c), "stopped after step %d; saved in %s\ngo on with: %s\n", step, t.Run.Dir, command(t.Again()...))
	}
	return err
}

// alignReport shows, besides what trainReport shows, the measures of an update, and warns
// once of what is known to go wrong.
type alignReport struct {
	*trainReport
	warned map[string]bool
}

// warnings are signs that something goes wrong, and what helps.
var warnings = []struct {
	measure string
	bad     func(float64) bool
	text    string
}{
	{"frac_reward_zero_std", func(x float64) bool { return x > 0.8 },
		"in most groups all answers have the same reward, and nothing can be learned from them: larger groups (grpo.group) or a reward with more grades help"},
	{"completions/distinct", func(x float64) bool { return x < 0.2 },
		"few answers are different from one another: the policy has found one that is well rewarded; a larger kl or a smaller learning_rate helps"},
	{"score/length_correlation", func(x float64) bool { return x > 0.8 },
		"the reward follows the length of answers: look at some of them, and at the reward model's length_correlation"},
	{"val/var_explained", func(x float64) bool { return x < -1 },
		"the values are further off than a constant would be: a smaller value_learning_rate helps"},
}

// warn prints the warnings that the measures give reason for.
func (r *alignReport) warn(values map[string]float64) {
	for _, w := range warnings {
		if x, ok := values[w.measure]; ok && w.bad(x) && !r.warned[w.measure] {
			if r.warned == nil {
				r.warned = map[string]bool{}
			}
			r.warned[w.measure] = true
			r.line(fmt.Sprintf("warning: %s is %.2g: %s", w.measure, x, w.text))
		}
	}
}

// shown are the measures that a line has, with their short names.
var shown = [][2]string{
	{"objective/scores", "score"}, {"objective/gold", "gold"}, {"objective/kl_full", "KL"}, {"policy/clipfrac_avg", "clipped"},
	{"val/var_explained", "explained"}, {"completions/mean_length", "tokens"}, {"frac_reward_zero_std", "even groups"},
	{"accuracy", "accuracy"}, {"rewards/accuracies", "accuracy"}, {"rewards/margins", "margin"},
}

// Step shows a line for each update of a policy, else what trainReport does.
func (r *alignReport) Step(m train.Metrics, p train.Progress) {
	var parts []string
	for _, s := range shown {
		if x, ok := m.Values[s[0]]; ok {
			parts = append(parts, fmt.Sprintf("%s %.3g", s[1], x))
		}
	}
	if episode, ok := m.Values["episode"]; ok {
		r.line(fmt.Sprintf("episode %.0f: %s", episode, strings.Join(parts, "  ")))
	} else if len(parts) > 0 {
		r.val = "  " + strings.Join(parts, "  ")
	}
	r.warn(m.Values)
	r.trainReport.Step(m, p)
}
