package alignment

import (
	"path/filepath"

	"tinygpt/align"
	"tinygpt/data/instruct"
	"tinygpt/model"
)

// preference prepares DPO on the comparisons of a reward model's run, or of files.
func (t *Training) preference(m *model.Model, d *source) error {
	var training, valid []instruct.Example
	var err error
	if len(t.settings.Data) > 0 {
		training, valid, err = d.files(func(e *instruct.Example) bool { return e.Comparison() }, "comparisons (chosen and rejected, or answers with ranks)")
	} else {
		if training, err = instruct.Read(filepath.Join(t.settings.RewardFrom, comparisonsFile)); err == nil {
			valid, err = instruct.Read(filepath.Join(t.settings.RewardFrom, validFile))
		}
	}
	if err == nil && len(t.settings.Data) == 0 {
		err = d.inputs.addExamples(training)
	}
	if err != nil {
		return err
	}
	d.inputs.addWeights(m)
	groups, err := d.groups(training)
	if err != nil {
		return err
	}
	held, err := d.groups(valid[:min(len(valid), t.settings.Evaluation.During)])
	if err != nil {
		return err
	}
	t.Session, err = align.NewPreference(m, groups, held, t.settings.Config, t.examiner)
	return err
}
