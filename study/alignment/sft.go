package alignment

import (
	"tinygpt/align"
	"tinygpt/model"
)

// sft prepares supervised fine-tuning.
func (t *Training) sft(m *model.Model, d *source) error {
	training, valid, err := d.demonstrations()
	if err != nil {
		return err
	}
	sequences, left, err := align.Demonstrations(d.format, training, d.context)
	if err != nil {
		return err
	}
	if left > 0 {
		d.note("%d of %d demonstrations are left out: longer than the context of %d tokens, they would be cut off before their end", left, len(training), d.context)
	}
	held, _, err := align.Demonstrations(d.format, valid, d.context)
	if err != nil {
		return err
	}
	t.Session, err = align.NewSFT(m, sequences, held, t.settings.Config, t.examiner)
	return err
}
