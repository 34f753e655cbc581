package align

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/train"
)

// Session is one training of alignment: its trainer, and what it was given.
type Session struct {
	Trainer *train.Trainer
	// Notes say in words what is trained on, and what was left out and why.
	Notes []string

	policy *policy // of PPO and GRPO
}

// note adds a note.
func (s *Session) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Run trains and goes back to the best checkpoint. A policy that went too far from its
// reference ends its run early, without an error: stopped says why. When ctx ends it
// saves and returns train.ErrInterrupted.
func (s *Session) Run(ctx context.Context) (result train.Result, stopped error, err error) {
	t := s.Trainer
	result, err = t.Run(ctx)
	if far, ok := err.(*KLError); ok {
		stopped, err = far, t.Save()
		result.State = t.State()
	}
	if err != nil {
		return result, stopped, err
	}
	if s.policy != nil && s.policy.average != nil {
		if err := train.SaveCheckpoint(filepath.Join(t.Dir, AverageCheckpoint), s.policy.average, t.State()); err != nil {
			return result, stopped, err
		}
	}
	if result.State.BestStep == 0 { // stopped before its first evaluation
		return result, stopped, train.SaveCheckpoint(filepath.Join(t.Dir, train.BestCheckpoint), t.Model, t.State())
	}
	_, err = train.LoadCheckpoint(filepath.Join(t.Dir, train.BestCheckpoint), t.Model)
	return result, stopped, err
}

// AverageCheckpoint has the running mean of a policy's weights.
const AverageCheckpoint = "average.safetensors"

// settings are those of training that all steps share.
func settings(steps, evaluations int, rate float64, seed uint64) train.Config {
	every := (steps + evaluations - 1) / evaluations
	return train.Config{
		Steps: steps, BatchSize: 1, GradientAccumulationSteps: 1,
		LearningRate: rate, MinLearningRate: rate / 10, WarmupSteps: min(20, steps/10), // cosine to a tenth
		Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, GradClip: 1,
		EvalInterval: every, CheckpointInterval: every, Seed: seed,
	}
}

// Examiner has a model answer held-out prompts and has the answers judged.
type Examiner struct {
	Generator *Generator
	Prompts   []Instruction
	Judge     Judge
	Seed      uint64
}

// Examine returns the answers to all prompts and their scores. Every model draws with
// the same seeds.
func (e *Examiner) Examine(ctx context.Context, m *model.Model) (answers []Answer, scores []float64, err error) {
	if answers, err = e.Generator.Answers(ctx, m, e.Prompts, Seeds(e.Seed, "examination", len(e.Prompts))); err != nil {
		return nil, nil, err
	}
	scores, err = e.Judge.Scores(ctx, e.Prompts, answers)
	return answers, scores, err
}

// evaluation is the mean score of m's answers, as training keeps the best by it.
func (e *Examiner) evaluation(ctx context.Context, m *model.Model, loss float64) (train.Evaluation, error) {
	if e == nil || len(e.Prompts) == 0 {
		return train.Evaluation{Loss: loss}, nil
	}
	_, scores, err := e.Examine(ctx, m)
	return train.Evaluation{Loss: loss, Metric: e.Judge.Name(), Score: mean(scores)}, err
}

// Demonstrations returns the sequences of demonstrations. Those that don't fit into the
// context are left out and counted: an answer that is cut off teaches not to end.
func Demonstrations(f *instruct.Format, examples []instruct.Example, context int) (list []Sequence, left int, err error) {
	for i := range examples {
		e := &examples[i]
		if !e.Demonstration() {
			continue
		}
		tokens, err := f.Prompt(e.Prompt)
		if err != nil {
			return nil, 0, err
		}
		answer, err := f.Answer(e.Answers[0])
		if err != nil {
			return nil, 0, err
		}
		if len(tokens)+len(answer) > context {
			left++
			continue
		}
		in := Instruction{Messages: e.Prompt, Tokens: tokens}
		list = append(list, in.with(answer))
	}
	return list, left, nil
}

// Groups returns the ranked answers of comparisons. Answers that don't fit into the
// context are left out, and so are prompts without a pair that is left; both are counted.
func Groups(f *instruct.Format, examples []instruct.Example, context int) (groups []Group, answersLeft, promptsLeft int, err error) {
	for number := range examples {
		e := &examples[number]
		tokens, err := f.Prompt(e.Prompt)
		if err != nil {
			return nil, 0, 0, err
		}
		in := Instruction{Messages: e.Prompt, Tokens: tokens}
		kept := instruct.Example{Prompt: e.Prompt}
		g := Group{Number: number}
		for i, text := range e.Answers {
			answer, err := f.Answer(text)
			if err != nil {
				return nil, 0, 0, err
			}
			if len(tokens)+len(answer) > context {
				answersLeft++
				continue
			}
			g.Sequences, g.Texts = append(g.Sequences, in.with(answer)), append(g.Texts, text)
			kept.Answers, kept.Ranks = append(kept.Answers, text), append(kept.Ranks, e.Ranks[i])
		}
		if g.Pairs = kept.Pairs(); len(g.Pairs) == 0 {
			promptsLeft++
			continue
		}
		groups = append(groups, g)
	}
	return groups, answersLeft, promptsLeft, nil
}

// NewSFT prepares supervised fine-tuning of m on demonstrations. The best weights are
// those with the highest score of an examination, or without one (nil) the lowest loss
// on the validation demonstrations.
func NewSFT(m *model.Model, demonstrations, valid []Sequence, c Config, examiner *Examiner) (*Session, error) {
	if len(demonstrations) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d demonstrations to train on and %d to validate with: expected one of each at least, that fits into the model's context of %d tokens", len(demonstrations), len(valid), m.Config.Context)
	}
	m.SetDropout(c.SFT.Dropout)
	o := newSupervised(demonstrations, c.SFT, 1, m.Config.Context, c.World.Seed)
	s := newScorer(m, false)
	validate := func(ctx context.Context) (train.Evaluation, error) {
		sums, err := s.sums(ctx, valid)
		if err != nil {
			return train.Evaluation{}, err
		}
		return examiner.evaluation(ctx, m, -sum(sums)/float64(tokensOf(valid)))
	}
	config := settings(len(o.order), c.SFT.Evaluations, c.SFT.LearningRate, c.World.Seed)
	config.BatchSize = c.SFT.BatchSize
	session := &Session{Trainer: &train.Trainer{Config: config, Model: m, Objective: o, Validate: validate}}
	session.note("%d demonstrations with %d tokens in their answers, %d to validate with", len(demonstrations), tokensOf(demonstrations), len(valid))
	return session, nil
}

// NewReward prepares the training of a reward model, which has a head, on comparisons.
func NewReward(m *model.Model, groups, valid []Group, c Config) (*Session, error) {
	if len(groups) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d prompts with ranked answers to train on and %d to validate with: expected one of each at least, that fits into the model's context of %d tokens", len(groups), len(valid), m.Config.Context)
	}
	m.SetDropout(0)
	o := newRewardModel(groups, c.Reward, m.Config.Context, c.World.Seed)
	s := newScorer(m, true)
	validate := func(ctx context.Context) (train.Evaluation, error) {
		a, _, err := accuracyOf(ctx, s, valid)
		return train.Evaluation{Loss: a.loss, Metric: "accuracy", Score: a.accuracy}, err
	}
	config := settings(len(o.order), c.Reward.Evaluations, c.Reward.LearningRate, c.World.Seed)
	config.BatchSize = c.Reward.Prompts
	session := &Session{Trainer: &train.Trainer{Config: config, Model: m, Objective: o, Validate: validate}}
	session.note("%d prompts with %d answers and %d pairs, %d prompts to validate with", len(groups), answersIn(groups), pairsIn(groups), len(valid))
	return session, nil
}

// NewPreference prepares learning from pairs without a reward model; m as it is now is
// the reference.
func NewPreference(m *model.Model, groups, valid []Group, c Config, examiner *Examiner) (*Session, error) {
	if len(groups) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d prompts with ranked answers to train on and %d to validate with: expected one of each at least", len(groups), len(valid))
	}
	m.SetDropout(0)
	o, err := newPreference(m, groups, c.DPO, c.World.Seed)
	if err != nil {
		return nil, err
	}
	held, err := newPreference(m, valid, c.DPO, c.World.Seed)
	if err != nil {
		return nil, err
	}
	s := newScorer(m, false)
	validate := func(ctx context.Context) (train.Evaluation, error) {
		loss, err := held.measured(ctx, s)
		if err != nil {
			return train.Evaluation{}, err
		}
		return examiner.evaluation(ctx, m, loss)
	}
	config := settings(len(o.order), c.DPO.Evaluations, c.DPO.LearningRate, c.World.Seed)
	config.BatchSize = c.DPO.BatchSize
	session := &Session{Trainer: &train.Trainer{Config: config, Model: m, Objective: o, Validate: validate}}
	session.note("%d pairs of %d prompts", len(o.pairs), len(groups))
	session.note("logps/chosen usually falls too while the margin grows: the loss asks for the difference only (Rafailov et al. 2023); dpo.sft holds it up")
	return session, nil
}

// NewPolicy prepares PPO or GRPO; in.Model as it is now is the reference.
func NewPolicy(in PolicyInputs, c Policy, examiner *Examiner) (*Session, error) {
	if err := in.check(c); err != nil {
		return nil, err
	}
	p, err := newPolicy(in, c)
	if err != nil {
		return nil, err
	}
	steps := c.Updates * p.steps
	config := settings(steps, 1, c.LearningRate, in.Seed)
	config.MinLearningRate, config.WarmupSteps = config.LearningRate, c.Warmup*p.steps
	config.BatchSize = c.MiniBatch
	config.EvalInterval = c.EvalEvery * p.steps
	config.CheckpointInterval = config.EvalInterval
	validate := func(ctx context.Context) (train.Evaluation, error) {
		return examiner.evaluation(ctx, in.Model, math.Max(0, p.measures()["objective/kl_full"]))
	}
	session := &Session{policy: p, Trainer: &train.Trainer{Config: config, Model: in.Model, Objective: p, Validate: validate}}
	session.note("%d prompts, %d updates of %d answers, %d steps each", len(in.Prompts), c.Updates, c.Episodes, p.steps)
	return session, nil
}

// StepsOfUpdate is how many of the trainer's steps an update of PPO or GRPO has; 1 of
// the others.
func (s *Session) StepsOfUpdate() int {
	if s.policy == nil {
		return 1
	}
	return s.policy.steps
}

func answersIn(groups []Group) (n int) {
	for _, g := range groups {
		n += len(g.Sequences)
	}
	return n
}

func pairsIn(groups []Group) (n int) {
	for _, g := range groups {
		n += len(g.Pairs)
	}
	return n
}
