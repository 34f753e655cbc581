package alignment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/data/instruct/gold"
	"tinygpt/internal/atomicfile"
	"tinygpt/internal/userfile"
	"tinygpt/model"
	"tinygpt/run"
	"tinygpt/train"
)

// resultsFile has the measures of a reward model: align.RewardMeasures.
const resultsFile = "results.json"

// reward prepares the training of a reward model that starts from m.
func (t *Training) reward(ctx context.Context, m *model.Model, d *source) error {
	none, _, surprise := instruct.Surprise(t.Run.Tokenizer)
	if surprise {
		m.SetTypes(none)
	}
	scored, err := align.NewScored(m, t.settings.World.Seed)
	if err != nil {
		return err
	}
	var training, valid, other []instruct.Example
	var c *comparisons
	if len(t.settings.Data) > 0 {
		training, valid, err = d.files(func(e *instruct.Example) bool { return e.Comparison() }, "comparisons (chosen and rejected, or answers with ranks)")
	} else if c, err = d.collect(ctx, t.Run.Dir, t.progress); err == nil {
		training, valid, other = c.training, c.valid, c.other
	}
	if err != nil {
		return err
	}
	groups, err := d.groups(training)
	if err != nil {
		return err
	}
	held, err := d.groups(valid)
	if err != nil {
		return err
	}
	demonstrated, err := d.demonstrated()
	if err != nil {
		return err
	}
	if surprise {
		if err := t.read(ctx, groups, held, demonstrated); err != nil {
			return err
		}
	}
	// Evaluations during training use only a part of the validation answers.
	t.Session, err = align.NewReward(scored, groups, held[:min(len(held), 2*t.settings.Evaluation.During)], t.settings.Config)
	if err != nil {
		return err
	}
	t.Finish = func(context.Context) error {
		measures, scores, err := align.MeasureReward(scored, groups, held, demonstrated)
		if err != nil {
			return err
		}
		if c != nil {
			if measures.Others, err = d.others(c, held, scores, other); err != nil {
				return err
			}
		}
		// MeasureReward has changed the bias.
		state := t.Session.Trainer.State()
		if err := train.SaveCheckpoint(filepath.Join(t.Run.Dir, train.BestCheckpoint), scored, state); err != nil {
			return err
		}
		text, err := json.MarshalIndent(measures, "", "  ")
		if err != nil {
			return err
		}
		return atomicfile.WriteFile(filepath.Join(t.Run.Dir, resultsFile), append(text, '\n'))
	}
	return nil
}

// readerFile has the weights of the language model that reads answers for a reward model with
// surprise: the one that the reward model started from.
const readerFile = "reader.safetensors"

// read sets the types of all answers' tokens with the language model that the reward model
// starts from. It keeps that model in the run's folder.
func (t *Training) read(ctx context.Context, groups, held []align.Group, demonstrated []align.Sequence) error {
	path := filepath.Join(t.Run.Dir, readerFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		base, err := run.Open(t.settings.From)
		if err != nil {
			return err
		}
		weights, _, err := base.Model("")
		if err != nil {
			return err
		}
		if err := train.SaveCheckpoint(path, weights, train.State{}); err != nil {
			return err
		}
	}
	reader, err := openReader(t.Run)
	if err != nil {
		return err
	}
	const part = 64
	all, done := len(groups)+len(held), 0
	for _, list := range [][]align.Group{groups, held} {
		for part := range slices.Chunk(list, part) {
			t.progress("reading answers", done, all)
			if err := reader.ReadGroups(ctx, part); err != nil {
				return err
			}
			done += len(part)
		}
	}
	t.progress("reading answers", all, all)
	return reader.Read(ctx, demonstrated)
}

// openReader opens the language model that reads answers for the reward model of a run. It
// returns nil if the reward model has no surprise.
func openReader(r *run.Run) (*align.Reader, error) {
	none, levels, ok := instruct.Surprise(r.Tokenizer)
	if !ok {
		return nil, nil
	}
	c := r.Config.Model
	c.VocabSize -= 1 + len(levels)
	m, err := model.NewZero(c)
	if err != nil {
		return nil, err
	}
	if _, err := train.LoadCheckpoint(filepath.Join(r.Dir, readerFile), m); err != nil {
		return nil, err
	}
	return align.NewReader(m, none, levels), nil
}

// groups returns comparisons as a reward model reads them, and notes what it leaves out.
func (d *source) groups(examples []instruct.Example) ([]align.Group, error) {
	groups, answers, prompts, err := align.Groups(d.format, examples, d.context)
	if answers > 0 {
		d.note("%d answers are left out: longer than the context of %d tokens", answers, d.context)
	}
	if prompts > 0 {
		d.note("%d of %d prompts are left out: no two answers of different rank", prompts, len(examples))
	}
	return groups, err
}

// demonstrated returns the demonstrations whose mean score is to be 0; with files, none.
func (d *source) demonstrated() ([]align.Sequence, error) {
	if len(d.settings.Data) > 0 {
		return nil, nil
	}
	list, _, err := align.Demonstrations(d.format, demonstrationsOf(d.prompts(instruct.SFT, true)), d.context)
	return list, err
}

// others returns the measures that only the built-in world allows, from the scores of the
// validation answers: the accuracy for labelers that were held out and for gold's order, and the
// ceiling.
func (d *source) others(c *comparisons, valid []align.Group, scores [][]float64, other []instruct.Example) (map[string]float64, error) {
	all := questions(&c.panel, c.validPrompts, c.valid)
	held, err := d.groups(other)
	if err != nil {
		return nil, err
	}
	o := map[string]float64{
		"labelers_agree": c.panel.Agreement(all), "ceiling": c.panel.Ceiling(all), "labelers_noise": c.panel.Noise,
		"others_ceiling": c.heldOut.Ceiling(questions(&c.heldOut, c.validPrompts, c.valid)),
	}
	o["others_accuracy"] = align.Accuracy(scoredAs(held, valid, scores))
	o["gold_accuracy"] = align.Accuracy(scoredAs(goldGroups(c, valid), valid, scores))
	return o, nil
}

// scoredAs returns the groups whose prompts and answers are among the scored ones, and their
// scores.
func scoredAs(groups, scored []align.Group, scores [][]float64) (kept []align.Group, theirs [][]float64) {
	of := map[int][]float64{}
	for i, g := range scored {
		of[g.Number] = scores[i]
	}
	for _, g := range groups {
		if s, ok := of[g.Number]; ok && len(s) == len(g.Sequences) {
			kept, theirs = append(kept, g), append(theirs, s)
		}
	}
	return kept, theirs
}

// goldGroups returns the groups with pairs by the gold scores of their answers.
func goldGroups(c *comparisons, valid []align.Group) (groups []align.Group) {
	for _, g := range valid {
		var rewards []float64
		for _, text := range g.Texts {
			rewards = append(rewards, gold.Judge(c.validPrompts[g.Number].World, text).Reward)
		}
		g.Pairs = nil
		for i := range rewards {
			for j := range rewards {
				if rewards[i] > rewards[j]+1e-9 {
					g.Pairs = append(g.Pairs, [2]int{i, j})
				}
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// OpenReward opens the reward model of a run as a judge, and returns its measures. A run whose
// training hasn't ended is an error.
func OpenReward(dir string) (*align.RewardJudge, align.RewardMeasures, error) {
	var measures align.RewardMeasures
	r, err := run.Open(dir)
	if err != nil {
		return nil, measures, err
	}
	judge := &align.RewardJudge{}
	if judge.Model, err = r.RewardModel(""); err != nil {
		return nil, measures, err
	}
	if judge.Reader, err = openReader(r); err != nil {
		return nil, measures, err
	}
	measures, err = readMeasures(dir)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s: no %s in it: its training hasn't ended; go on with `gpt align reward --resume --run %s`", dir, resultsFile, dir)
	}
	if err == nil && measures.Deviation == 0 { // scores are divided by it
		err = fmt.Errorf("%s: the reward model gives all answers the same score: train it on more comparisons, or for longer", dir)
	}
	judge.Deviation = measures.Deviation
	return judge, measures, err
}

// readMeasures reads the measures of a run's reward model.
func readMeasures(dir string) (align.RewardMeasures, error) {
	path := filepath.Join(dir, resultsFile)
	text, err := userfile.ReadRegular(path)
	if err != nil {
		return align.RewardMeasures{}, err
	}
	m, err := parseMeasures(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return m, err
}

// parseMeasures reads a results.json.
func parseMeasures(text []byte) (m align.RewardMeasures, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return m, err
	}
	if !(m.Deviation >= 0 && m.Deviation <= maxDeviation) {
		return m, fmt.Errorf("deviation is %g: expected 0 to %g", m.Deviation, maxDeviation)
	}
	for name, share := range map[string]float64{"accuracy": m.Accuracy, "length_only": m.LengthOnly, "words_only": m.WordsOnly} {
		if !(share >= 0 && share <= 1) {
			return m, fmt.Errorf("%s is %g: expected a share from 0 to 1", name, share)
		}
	}
	return m, nil
}

// maxDeviation is far above the deviation of any model's scores.
const maxDeviation = 1e6
