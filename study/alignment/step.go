package alignment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"tinygpt/align"
	"tinygpt/configs"
	"tinygpt/data/instruct"
	"tinygpt/internal/shell"
	"tinygpt/internal/suggest"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// SectionKey is the key of a step's settings in a run's config.yaml.
const SectionKey = "align"

// Settings has the settings of a step, which its run keeps.
type Settings struct {
	align.Config `yaml:",inline"`
	// From is the run whose weights the step starts from.
	From string `yaml:"from,omitempty"`
	// Data is files of JSON lines in place of the built-in world.
	Data []string `yaml:"data,omitempty"`
	// RewardFrom is what answers are rewarded by: the folder of a reward model's run,
	// "gold", or a command after an exclamation mark. For DPO it is the reward model's run
	// whose comparisons are used.
	RewardFrom string `yaml:"reward_from,omitempty"`
	// AnswersFrom is the run whose answers a reward model learns to compare; empty: the
	// one that it starts from. In the paper it has 6 billion parameters for policies of all
	// sizes.
	AnswersFrom string `yaml:"answers_from,omitempty"`
	// Force allows a reward model that is worse than its baselines.
	Force bool `yaml:"force,omitempty"`
}

// Values of Settings.RewardFrom.
const (
	GoldReward    = "gold"
	CommandReward = "!" // followed by a command
)

// command is the one that rewards answers; "" if none does.
func (s *Settings) command() string {
	command, ok := strings.CutPrefix(s.RewardFrom, CommandReward)
	if !ok {
		return ""
	}
	return command
}

// Progress is called now and then: what is being done, and done of total parts of it are.
type Progress func(what string, done, total int)

// Training is a step that is ready to run.
type Training struct {
	Run     *run.Run
	Session *align.Session
	// Finish, unless nil, is called after a run that wasn't interrupted: it measures.
	Finish func(ctx context.Context) error

	settings Settings
	progress Progress
	found    bool            // Run.Found has changed and must be saved
	examiner *align.Examiner // with the world's held-out prompts; nil with files
	gold     align.Judge     // nil with files
}

// Start creates the run of a step in dir (empty: the next free folder) and prepares the step. If
// ctx ends before that is done, it returns train.ErrInterrupted, and the run can be resumed.
// After another error, a folder that it has created is removed.
func Start(ctx context.Context, kind run.Kind, s Settings, dir string, p Progress) (*Training, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	base, err := openBase(kind, &s)
	if err != nil {
		return nil, err
	}
	if s.From, err = filepath.Abs(base.Dir); err != nil {
		return nil, err
	}
	if err := s.resolve(kind, base); err != nil {
		return nil, err
	}
	tok := base.Tokenizer
	if kind == run.SFT {
		if tok, err = instruct.Extend(tok); err != nil {
			return nil, fmt.Errorf("%s: %w", base.Dir, err)
		}
	}
	if kind == run.Reward && s.Reward.Surprise {
		if tok, err = instruct.WithSurprise(tok); err != nil {
			return nil, fmt.Errorf("%s: %w", base.Dir, err)
		}
	}
	c := base.Config
	c.Model.VocabSize = tok.VocabSize()
	c.Model.Dropout = 0
	c.Train = configs.Default().Train // Training.Train sets those of the step
	if kind == run.Reward {           // heads aren't part of a model's configuration
		c.Sample = configs.Default().Sample
	}
	_, missing := os.Stat(dir)
	kept := s
	kept.Data = run.SettleFiles(s.Data)
	r, err := run.Create(dir, string(kind), kind, c, tok, nil, run.Section{Key: SectionKey, Settings: kept})
	if err != nil {
		return nil, err
	}
	t, err := prepare(ctx, r, s, p)
	switch {
	case err == nil:
	case ctx.Err() != nil: // Resume can prepare it again
		return &Training{Run: r, settings: s}, train.ErrInterrupted
	case missing != nil:
		err = errors.Join(err, os.RemoveAll(r.Dir))
	}
	return t, err
}

// Resume prepares the step of a run's folder to go on from its last checkpoint, of which it
// returns the step, or if there is none from its beginning. Inputs that have changed since are
// an error. command is the one that may reward answers: a folder that somebody else made could
// name any, so the run's own must be the same.
func Resume(ctx context.Context, dir, command string, p Progress) (t *Training, steps int, err error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, 0, err
	}
	var s Settings
	if err := r.Section(SectionKey, &s); err != nil {
		return nil, 0, err
	}
	if own := s.command(); own != command {
		if own == "" {
			return nil, 0, fmt.Errorf("%s: its answers aren't rewarded by a command: leave out --reward-command", r.Dir)
		}
		return nil, 0, fmt.Errorf("%s: its answers are rewarded by a command, which its config.yaml names: if you trust it, go on with `%s`", r.Dir,
			shell.Command("gpt", "align", string(r.Kind), "--resume", "--run", r.Dir, "--reward-command", own))
	}
	if err := run.CheckReadable(r.Dir, "examples", s.Data...); err != nil {
		return nil, 0, err
	}
	if t, err = prepare(ctx, r, s, p); err != nil {
		if ctx.Err() != nil {
			err = train.ErrInterrupted
		}
		return &Training{Run: r, settings: s}, 0, err
	}
	if _, err := r.Checkpoint("last"); err != nil {
		return t, 0, nil
	}
	t.Session.Notes = append(t.Session.Notes, r.Found.OtherInstructions()...)
	steps, err = t.Session.Trainer.Resume()
	return t, steps, r.OrOther(filepath.Join(r.Dir, train.LastCheckpoint), err)
}

// Again lists the arguments of `gpt` that go on with the step.
func (t *Training) Again() []string {
	words := []string{"align", string(t.Run.Kind), "--resume", "--run", t.Run.Dir}
	if command := t.settings.command(); command != "" {
		words = append(words, "--reward-command", command)
	}
	return words
}

// starts are the kinds of runs that a step may start from.
var starts = map[run.Kind][]run.Kind{
	run.SFT:    {run.Text, run.Imported},
	run.Reward: {run.SFT},
	run.PPO:    {run.SFT, run.DPO, run.PPO, run.GRPO},
	run.GRPO:   {run.SFT, run.DPO, run.PPO, run.GRPO},
	run.DPO:    {run.SFT, run.DPO, run.PPO, run.GRPO},
}

// batchKeys are the settings with which a step's memory grows, for errors.
var batchKeys = map[run.Kind]string{
	run.SFT:    "sft.batch_size",
	run.Reward: "reward.prompts or reward.most_answers",
	run.PPO:    "ppo.mini_batch",
	run.GRPO:   "grpo.mini_batch",
	run.DPO:    "dpo.batch_size",
}

// openBase opens the run to start from: if none is named, the latest that fits.
func openBase(kind run.Kind, s *Settings) (*run.Run, error) {
	usual := []run.Kind{run.SFT}
	if kind == run.SFT {
		usual = starts[kind]
	}
	dir, err := run.OrLatest(s.From, usual...)
	if err != nil {
		return nil, fmt.Errorf("the run to start from: %w", err)
	}
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	if kind == run.SFT && r.Kind == run.SFT {
		return r, nil // to train it further
	}
	if !r.Kind.Is(starts[kind]...) {
		return nil, fmt.Errorf("%s is a run of kind %s: %s starts from a run of kind %s", dir, r.Kind, kind, suggest.List(starts[kind]))
	}
	return r, nil
}

// resolve completes AnswersFrom and RewardFrom with absolute paths, and checks that these runs
// fit to base, from which the step starts.
func (s *Settings) resolve(kind run.Kind, base *run.Run) error {
	if s.AnswersFrom != "" {
		r, err := run.Open(s.AnswersFrom)
		if err != nil {
			return err
		}
		if !r.Kind.Is(starts[run.PPO]...) {
			return fmt.Errorf("%s is a run of kind %s: answers to compare are those of a run of kind %s", s.AnswersFrom, r.Kind, suggest.List(starts[run.PPO]))
		}
		if err := scorable(r, base); err != nil {
			return err
		}
		if s.AnswersFrom, err = filepath.Abs(r.Dir); err != nil {
			return err
		}
	}
	needs := kind == run.PPO || kind == run.GRPO || kind == run.DPO && len(s.Data) == 0
	if !needs || s.RewardFrom == GoldReward || strings.HasPrefix(s.RewardFrom, CommandReward) {
		return nil
	}
	dir, err := run.OrLatest(s.RewardFrom, run.Reward)
	if err != nil {
		return fmt.Errorf("the reward model: %w", err)
	}
	if s.RewardFrom, err = filepath.Abs(dir); err != nil || kind == run.DPO { // DPO needs only its comparisons
		return err
	}
	r, err := run.Open(dir)
	if err != nil {
		return err
	}
	return scorable(base, r)
}

// scorable returns an error unless the model of run b can score what the model of run a writes:
// both need the same tokenizer and context.
func scorable(a, b *run.Run) error {
	tok := a.Tokenizer
	if _, _, ok := instruct.Surprise(b.Tokenizer); ok { // b has tokens for types besides
		var err error
		if tok, err = instruct.WithSurprise(tok); err != nil {
			return fmt.Errorf("%s: %w", a.Dir, err)
		}
	}
	if tokenizer.Fingerprint(tok) != tokenizer.Fingerprint(b.Tokenizer) {
		return fmt.Errorf("%s and %s have different tokenizers: a policy and its reward model read the same tokens; start both from runs with one tokenizer", a.Dir, b.Dir)
	}
	if x, y := a.Config.Model.Context, b.Config.Model.Context; x != y {
		return fmt.Errorf("%s has a context of %d tokens, %s of %d: a policy and its reward model read the same answers; start both from runs with one context", a.Dir, x, b.Dir, y)
	}
	return nil
}

// answerer returns the run whose answers a reward model compares.
func (s *Settings) answerer() string {
	if s.AnswersFrom != "" {
		return s.AnswersFrom
	}
	return s.From
}

// prepare makes the session of a run's step.
func prepare(ctx context.Context, r *run.Run, s Settings, p Progress) (t *Training, err error) {
	if p == nil {
		p = func(string, int, int) {}
	}
	t = &Training{Run: r, settings: s, progress: p}
	m, err := t.model()
	if err != nil {
		return nil, err
	}
	begins := false
	if r.Kind.Is(run.SFT, run.Reward) { // the others are held to these weights to their end
		if begins, err = r.CheckStart(m); err != nil {
			return nil, err
		}
	}
	format, err := instruct.NewFormat(r.Tokenizer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Dir, err)
	}
	d := &source{settings: &t.settings, format: format, context: m.Config.Context}
	if len(s.Data) == 0 {
		t.gold = Gold{}
		valid, err := d.heldOut(s.Evaluation.During)
		if err != nil {
			return nil, err
		}
		t.examiner = &align.Examiner{Generator: d.generator(), Prompts: valid, Judge: t.gold, Seed: s.World.Seed}
	}
	switch r.Kind {
	case run.SFT:
		err = t.sft(m, d)
	case run.Reward:
		err = t.reward(ctx, m, d)
	case run.DPO:
		err = t.preference(m, d)
	case run.PPO, run.GRPO:
		err = t.policy(m, d)
	default:
		err = fmt.Errorf("%s is a run of kind %s, which `gpt align` doesn't make", r.Dir, r.Kind)
	}
	if err != nil {
		return nil, err
	}
	if t.found, err = d.inputs.check(r); err != nil {
		return nil, err
	}
	t.found = t.found || begins
	t.Session.Notes = append(t.Session.Notes, d.notes...)
	trainer := t.Session.Trainer
	if o, ok := trainer.Objective.(train.Bucketed); ok {
		if err := run.CheckMemory(m.Config, batchKeys[r.Kind], o.Shapes()...); err != nil {
			return nil, err
		}
	}
	trainer.Dir = r.Dir
	trainer.Curve = func() train.Curve { return &stepCurve{run: t.Run} }
	return t, nil
}

// model returns a model with the run's vocabulary and the weights that the run starts from.
func (t *Training) model() (*model.Model, error) {
	base, err := run.Open(t.settings.From)
	if err != nil {
		return nil, fmt.Errorf("the run that %s starts from: %w", t.Run.Dir, err)
	}
	weights, _, err := base.Model("")
	if err != nil {
		return nil, err
	}
	m, err := model.New(t.Run.Config.Model, t.settings.World.Seed)
	if err != nil {
		return nil, err
	}
	return m, m.CopyFrom(weights)
}

// Train runs the step and, unless it is interrupted, measures the result (see Finish). stopped
// says why a policy's training ended early, nil if it didn't.
func (t *Training) Train(ctx context.Context) (result train.Result, stopped error, err error) {
	unlock, err := run.Lock(t.Run.Dir)
	if err != nil {
		return result, nil, err
	}
	defer unlock()
	if c := t.Run.Config; t.found || !reflect.DeepEqual(c.Train, t.Session.Trainer.Config) { // not saved yet
		c.Train = t.Session.Trainer.Config
		if err := t.Run.Reconfigure(c); err != nil {
			return result, nil, err
		}
	}
	result, stopped, err = t.Session.Run(ctx)
	if err != nil || t.Finish == nil {
		return result, stopped, err
	}
	return result, stopped, t.Finish(ctx)
}
