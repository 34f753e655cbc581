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

// Session is one training of alignment.
type Session struct {
	Trainer *train.Trainer
	// Notes say in words what is trained on, and what to expect of it.
	Notes []string

	policy *policy // of PPO and GRPO, else nil
}

// note adds to Notes.
func (s *Session) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Run trains and then loads the best checkpoint into the model. A policy that went too far from
// its reference ends the run early without an error: stopped, a *KLError, says why. When ctx
// ends, Run saves a checkpoint and returns train.ErrInterrupted.
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

// AverageCheckpoint is the file with the running mean of a policy's weights.
const AverageCheckpoint = "average.safetensors"

// settings returns the settings of a training that are the same for all kinds of alignment.
func settings(steps, evaluations int, rate float64, seed uint64) train.Config {
	every := (steps + evaluations - 1) / evaluations
	return train.Config{
		Steps: steps, BatchSize: 1, GradientAccumulationSteps: 1,
		LearningRate: rate, MinLearningRate: rate / 10, WarmupSteps: min(20, steps/10), // cosine to a tenth
		Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, GradClip: 1,
		EvalInterval: every, CheckpointInterval: every, Seed: seed,
	}
}

// Examiner lets a model answer held-out prompts and judges the answers.
type Examiner struct {
	Generator *Generator
	Prompts   []Instruction
	Judge     Judge
	Seed      uint64
}

// Examine returns m's answers to all prompts and their scores. Every model draws with the same
// seeds. The end of ctx is an error, and so is a judge that fails.
func (e *Examiner) Examine(ctx context.Context, m *model.Model) (answers []Answer, scores []float64, err error) {
	if answers, err = e.Generator.Answers(ctx, m, e.Prompts, Seeds(e.Seed, "examination", len(e.Prompts))); err != nil {
		return nil, nil, err
	}
	scores, err = e.Judge.Scores(ctx, e.Prompts, answers)
	return answers, scores, err
}

// evaluation returns the evaluation by which a training keeps the best weights: the mean score
// of m's answers, or without an examiner the loss.
func (e *Examiner) evaluation(ctx context.Context, m *model.Model, loss float64) (train.Evaluation, error) {
	if e == nil || len(e.Prompts) == 0 {
		return train.Evaluation{Loss: loss}, nil
	}
	_, scores, err := e.Examine(ctx, m)
	return train.Evaluation{Loss: loss, Metric: e.Judge.Name(), Score: mean(scores)}, err
}

// Demonstrations returns the sequences of the examples that are demonstrations. It leaves out,
// and counts in left, those that don't fit into the context: an answer that is cut off would
// teach the model not to end.
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

// Groups returns the ranked answers of comparisons. It leaves out answers that don't fit into
// the context, and then prompts without a pair of different ranks; answersLeft and promptsLeft
// count them.
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

// NewSFT prepares supervised fine-tuning of m on demonstrations. The best weights are those
// with the highest score by the examiner, or if it is nil the lowest loss on the validation
// demonstrations. Having none to train on or to validate with is an error.
func NewSFT(m *model.Model, demonstrations, valid []Sequence, c Config, examiner *Examiner) (*Session, error) {
	if len(demonstrations) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d demonstrations to train on and %d to validate with: expected at least one of each that fits into the model's context of %d tokens", len(demonstrations), len(valid), m.Config.Context)
	}
	m.SetDropout(c.SFT.Dropout)
	o := newSupervised(demonstrations, c.SFT, m.Config.Context, c.World.Seed)
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

// NewReward prepares the training of a reward model, made by NewScored, on comparisons. The
// best weights are those with the highest accuracy on the validation groups.
func NewReward(m *model.Model, groups, valid []Group, c Config) (*Session, error) {
	if len(groups) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d prompts with ranked answers to train on and %d to validate with: expected at least one of each that fits into the model's context of %d tokens", len(groups), len(valid), m.Config.Context)
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

// NewPreference prepares learning from pairs without a reward model. The reference is m as it
// is now. The examiner is as in NewSFT.
func NewPreference(m *model.Model, groups, valid []Group, c Config, examiner *Examiner) (*Session, error) {
	if len(groups) == 0 || len(valid) == 0 {
		return nil, fmt.Errorf("%d prompts with ranked answers to train on and %d to validate with: expected at least one of each that fits into the model's context of %d tokens", len(groups), len(valid), m.Config.Context)
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
	session.note("logps/chosen usually falls too while the margin grows: the loss depends on the difference only (Rafailov et al. 2023); dpo.sft keeps it from falling")
	return session, nil
}

// NewPolicy prepares PPO, or GRPO if c.Group is larger than 1. The reference is in.Model as it
// is now. The examiner is as in NewSFT.
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

// StepsOfUpdate returns how many of the trainer's steps an update of PPO or GRPO has; 1 for
// other trainings.
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
