package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/internal/shell"
	"tinygpt/model"
	"tinygpt/train"
)

// TaskModel is a fine-tuned run with the weights of its best checkpoint, ready to predict.
type TaskModel struct {
	*Run
	Setup   *finetune.Setup
	Model   *model.Model
	Special finetune.Special
	// Mixture has the n-grams that the network predicts together with; nil without.
	Mixture *finetune.Mixture
}

// OpenFinetuned opens a fine-tuned run, the latest if dir is "".
func OpenFinetuned(dir string) (*TaskModel, error) {
	r, err := openFinetuned(dir, "make one with `gpt finetune --from %s`")
	if err != nil {
		return nil, err
	}
	t, err := r.taskModel("")
	if err == nil && t.Setup.NGrams {
		if t.Mixture, err = finetune.ReadMixture(t.Dir, t.Setup); err != nil {
			return nil, r.ngramsError(err)
		}
	}
	return t, err
}

// ngramsError says how a run gets its n-grams, which couldn't be read.
func (r *Run) ngramsError(err error) error {
	do := "make the file again"
	if errors.Is(err, os.ErrNotExist) {
		err, do = fmt.Errorf("%s has no %s, which a fine-tuning makes at its end", r.Dir, finetune.NGramsFile), "go on"
	}
	return fmt.Errorf("%w: %s with `gpt finetune --resume --run %s`", err, do, shell.Quote(r.Dir))
}

// taskModel loads a checkpoint (see Checkpoint) with the head of the task.
func (r *Run) taskModel(which string) (*TaskModel, error) {
	path, err := r.Checkpoint(which)
	if err != nil {
		return nil, err
	}
	own := *r
	t := &TaskModel{Run: &own, Setup: &finetune.Setup{Config: r.Config.Finetune, Found: r.Found.Examples}}
	if own.Tokenizer, t.Special, err = finetune.Extend(r.Tokenizer); err != nil {
		return nil, err
	}
	if t.Model, err = finetune.NewModel(r.Config.Model, nil, t.Setup, t.Special, 0); err != nil {
		return nil, err
	}
	if _, err := train.LoadCheckpoint(path, t.Model); err != nil {
		return nil, r.OrOther(path, fmt.Errorf("%w (the head has an output for each of the %d classes in %s)", err, len(t.Setup.Classes), filepath.Join(r.Dir, configFile)))
	}
	return t, nil
}

// Answers predicts the labels of examples. When ctx ends it returns its error.
func (t *TaskModel) Answers(ctx context.Context, examples []labelled.Example) ([]finetune.Answer, error) {
	items, err := encoderOf(t.Setup, t.Tokenizer, t.Special, t.Config.Model.Context).Items(examples, false)
	if err != nil {
		return nil, err
	}
	p := finetune.NewPredictor(t.Model, t.Setup, nil)
	p.Mixture = t.Mixture
	predictions, err := p.Predict(ctx, items)
	if err != nil {
		return nil, err
	}
	answers := make([]finetune.Answer, len(items))
	for i, it := range items {
		answers[i] = t.Setup.Answer(it, predictions[i])
	}
	return answers, nil
}

// openFinetuned opens a fine-tuned run, the latest if dir is "". advice, with a %s for the
// folder, is for runs of other kinds.
func openFinetuned(dir, advice string) (*Run, error) {
	dir, err := OrLatest(dir, Finetuned)
	if err != nil {
		return nil, err
	}
	r, err := Open(dir)
	if err == nil && r.Kind != Finetuned {
		err = fmt.Errorf("%s is no fine-tuned run: "+advice, dir, shell.Quote(dir))
	}
	return r, err
}
