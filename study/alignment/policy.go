package alignment

import (
	"fmt"

	"tinygpt/align"
	"tinygpt/data"
	"tinygpt/data/instruct"
	"tinygpt/model"
	"tinygpt/run"
)

// minAccuracy is the minimum accuracy of a reward model for which answers are optimised.
const minAccuracy = 0.6

// policy prepares PPO or GRPO.
func (t *Training) policy(m *model.Model, d *source) error {
	c := t.settings.PPO
	if t.Run.Kind == run.GRPO {
		c = t.settings.GRPO
	}
	in := align.PolicyInputs{Model: m, Generator: d.generator(), Gold: t.gold, Seed: t.settings.World.Seed}
	var err error
	if in.Prompts, err = d.asked(); err != nil {
		return err
	}
	if in.Reward, in.Value, err = t.settings.judge(); err != nil {
		return err
	}
	d.inputs.addWeights(m)
	if in.Value != nil {
		d.inputs.addWeights(in.Value)
	}
	if judge, ok := in.Reward.(*align.RewardJudge); ok && judge.Reader != nil {
		d.inputs.addWeights(judge.Reader.Model)
	}
	switch {
	case c.Group > 1 || c.ValueHead:
		in.Value = nil
	case in.Value == nil: // no reward model to start from: the policy, with a new head
		in.Value = m
	}
	if c.ValueHead {
		if in.Model, err = align.NewScored(m, t.settings.World.Seed); err != nil {
			return err
		}
	}
	if c.Pretraining > 0 {
		if in.Pretraining, err = t.pretraining(); err != nil {
			return err
		}
	}
	if t.examiner == nil { // the user's prompts: only the reward can judge
		n := min(len(in.Prompts)/10+1, t.settings.Evaluation.During)
		t.examiner = &align.Examiner{Generator: d.generator(), Prompts: in.Prompts[:n], Judge: in.Reward, Seed: in.Seed}
		if len(in.Prompts) > n {
			in.Prompts = in.Prompts[n:]
		}
	}
	t.Session, err = align.NewPolicy(in, c, t.examiner)
	return err
}

// asked returns the prompts of the policy: the built-in world's, or those of files.
func (d *source) asked() ([]align.Instruction, error) {
	if len(d.settings.Data) == 0 {
		return d.instructions(d.prompts(instruct.PPO, false))
	}
	var list []align.Instruction
	left := 0
	for _, path := range d.settings.Data {
		prompts, err := instruct.ReadPrompts(path)
		if err == nil {
			err = d.inputs.addExamples(prompts)
		}
		if err != nil {
			return nil, err
		}
		for _, messages := range prompts {
			tokens, err := d.format.Prompt(messages)
			if err != nil {
				return nil, err
			}
			if len(tokens)+minAnswer > d.context {
				left++
				continue
			}
			list = append(list, align.Instruction{Messages: messages, Tokens: tokens})
		}
	}
	if left > 0 {
		d.note("%d prompts are left out: longer than the context of %d tokens", left, d.context)
	}
	return list, nil
}

// judge returns what rewards answers by the settings, and the reward model if it is one. A
// reward model that isn't more accurate than its baselines is an error, unless Force is set.
func (s *Settings) judge() (align.Judge, *model.Model, error) {
	switch {
	case s.RewardFrom == GoldReward:
		return Gold{}, nil, nil
	case s.command() != "":
		return align.CommandJudge{Command: s.command()}, nil, nil
	}
	judge, measures, err := OpenReward(s.RewardFrom)
	if err != nil {
		return nil, nil, err
	}
	if worse := max(minAccuracy, measures.WordsOnly, measures.LengthOnly); measures.Accuracy < worse && !s.Force {
		return nil, nil, fmt.Errorf("%s: the reward model is right about %.1f %% of pairs: expected at least %.1f %%, the largest of 60 %%, its words alone (%.1f %%) and lengths alone (%.1f %%); train it on more comparisons, or go on with --force",
			s.RewardFrom, 100*measures.Accuracy, 100*worse, 100*measures.WordsOnly, 100*measures.LengthOnly)
	}
	return judge, judge.Model, nil
}

// pretraining returns the text that the base model was trained on.
func (t *Training) pretraining() (*data.Stream, error) {
	m, err := t.Run.Material()
	if err != nil {
		return nil, fmt.Errorf("ppo.pretraining needs the text of the pre-training: %w", err)
	}
	return m.Training, nil
}
