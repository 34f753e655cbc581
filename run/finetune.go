package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/internal/shell"
	"tinygpt/model"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// StartingPoint is what fine-tunings start from.
type StartingPoint struct {
	// Dir is the run that the weights, or only tokenizer and shape, are from; "" if
	// there is none.
	Dir string
	// Model has the weights; nil: random ones.
	Model *model.Model
	// Tokenizer has the special tokens of fine-tuning.
	Tokenizer tokenizer.Tokenizer
	Special   finetune.Special

	run *Run // nil if there is none
}

// String says in words what a fine-tuning starts from.
func (p *StartingPoint) String() string {
	switch {
	case p.Dir == "":
		return "random weights"
	case p.Model == nil:
		return "random weights, tokenizer and shape of " + p.Dir
	}
	return p.Dir
}

// OpenStartingPoint opens the run that the configuration starts from, the latest if it
// names none. A training from scratch where there is no run learns a tokenizer from the
// examples.
func OpenStartingPoint(c configs.Config, x *finetune.Examples) (*StartingPoint, error) {
	p := &StartingPoint{}
	r, err := Open(c.Finetune.From)
	switch {
	case err == nil:
		if p.Dir, err = filepath.Abs(r.Dir); err != nil {
			return nil, err
		}
		p.run, p.Tokenizer = r, r.Tokenizer
		if !c.Finetune.Scratch {
			if p.Model, _, err = r.Model(""); err != nil {
				return nil, err
			}
		}
	case c.Finetune.Scratch && c.Finetune.From == "":
		texts := &Texts{Training: corpus(x.Train), Whole: corpus(x.Train, x.Dev, x.Test)}
		if p.Tokenizer, err = NewTokenizer(c.Tokenizer, texts); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("the run to start from: %w; or train from scratch with --scratch", err)
	}
	p.Tokenizer, p.Special, err = finetune.Extend(p.Tokenizer)
	return p, err
}

// settle returns the configuration of a fine-tuning from here: with the model, the
// tokenizer and the texts of the run that it starts from.
func (p *StartingPoint) settle(c configs.Config) configs.Config {
	if p.run != nil {
		dropout := c.Model.Dropout
		c.Model, c.Data, c.Tokenizer, c.Sample = p.run.Config.Model, p.run.Config.Data, p.run.Config.Tokenizer, p.run.Config.Sample
		c.Model.Dropout = dropout
	}
	c.Model.VocabSize = p.Tokenizer.VocabSize()
	c.Finetune.From = p.Dir
	return c
}

// leftOut notes which sections of a configuration say what a fine-tuning from here doesn't do,
// because it has them from the run.
func (p *StartingPoint) leftOut(c configs.Config) (notes []string) {
	if p.run == nil {
		return nil
	}
	usual, theirs := configs.DefaultFinetune(), p.run.Config
	for _, m := range []*model.Config{&c.Model, &usual.Model, &theirs.Model} {
		m.Dropout, m.VocabSize = 0, 0 // the first is the fine-tuning's own, the second the tokenizer's
	}
	for _, section := range []struct {
		name               string
		ours, usual, their any
	}{
		{"model", c.Model, usual.Model, theirs.Model}, {"data", c.Data, usual.Data, theirs.Data},
		{"tokenizer", c.Tokenizer, usual.Tokenizer, theirs.Tokenizer},
	} {
		if !reflect.DeepEqual(section.ours, section.usual) && !reflect.DeepEqual(section.ours, section.their) {
			notes = append(notes, fmt.Sprintf("the configuration's section %s is left out: a fine-tuning has its %s from the run that it starts from, %s", section.name, section.name, p.Dir))
		}
	}
	return notes
}

// Session prepares a fine-tuning from here. Its folder is still to be made.
func (p *StartingPoint) Session(c configs.Config, x *finetune.Examples, s *finetune.Setup) (*finetune.Session, error) {
	return newSession(p.settle(c), x, s, p)
}

// mostSeen is the maximum number of times that a fine-tuning sees an example. They are planned
// beforehand.
const mostSeen = 2e9

// newSession prepares a fine-tuning with a settled configuration.
func newSession(c configs.Config, x *finetune.Examples, found *finetune.Setup, p *StartingPoint) (*finetune.Session, error) {
	setup := &finetune.Setup{Config: c.Finetune, Found: found.Found}
	m, err := finetune.NewModel(c.Model, p.Model, setup, p.Special, c.Train.Seed)
	if err != nil {
		return nil, err
	}
	drawn, err := setup.Subset(x.Train, c.Train.Seed)
	if err != nil {
		return nil, err
	}
	var sets finetune.Sets
	encoder := encoderOf(setup, p.Tokenizer, p.Special, c.Model.Context)
	for _, set := range []struct {
		examples []labelled.Example
		items    *[]*finetune.Item
	}{{drawn, &sets.Train}, {x.Dev, &sets.Dev}, {x.Test, &sets.Test}} {
		if *set.items, err = encoder.Items(set.examples, true); err != nil {
			return nil, err
		}
	}
	if n := float64(setup.Epochs) * float64(len(sets.Train)); n > mostSeen {
		return nil, fmt.Errorf("finetune.epochs is %d, and there are %d examples to train on: expected at most %.0e times an example is seen", setup.Epochs, len(sets.Train), mostSeen)
	}
	s := finetune.NewSession(m, setup, c.Train, p.Special, sets)
	s.Curve = func() train.Curve { return newLossCurve(filepath.Join(s.Dir, LossCurveFile), s.LossName()) }
	if err := errors.Join(s.Setup.Validate(), s.Train.Validate(), c.Model.Validate()); err != nil {
		return nil, err
	}
	return s, CheckMemory(c.Model, "train.batch_size or finetune.max_length", s.Shape())
}

func encoderOf(s *finetune.Setup, t tokenizer.Tokenizer, special finetune.Special, context int) *finetune.Encoder {
	return &finetune.Encoder{Tokenizer: t, Special: special, Setup: *s, Context: s.Room(context)}
}

// FinetuneOptions are those of Finetune. The zero value is a run in the next free folder.
type FinetuneOptions struct {
	// Dir and Name are as in Options.
	Dir, Name string
	// Examples and Setup are what finetune.Load gave, and StartingPoint what
	// OpenStartingPoint gave, if the caller has them already.
	Examples      *finetune.Examples
	Setup         *finetune.Setup
	StartingPoint *StartingPoint
}

// Finetuning is a run that is being fine-tuned. Its folder is locked until Train returns or
// Close is called.
type Finetuning struct {
	*Run
	Session       *finetune.Session
	StartingPoint *StartingPoint
	// First is the number of updates that were made before: 0 unless resumed.
	First int
	// Notes are what a user should know before a fine-tuning begins or goes on.
	Notes []string
	// AdaptReport shows how the weights are adapted before the fine-tuning, if
	// finetune.adapt asks for it; nil: nothing is shown.
	AdaptReport train.Report

	// Team, unless nil, shares the fine-tuning.
	Team *Team

	examples *finetune.Examples
	unlock   func()
}

// Finetune begins a fine-tuning with the given configuration, which it doesn't change.
func Finetune(c configs.Config, o FinetuneOptions) (*Finetuning, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var err error
	if o.Examples == nil || o.Setup == nil {
		if o.Examples, o.Setup, err = finetune.Load(c.Finetune, nil); err != nil {
			return nil, err
		}
	}
	p := o.StartingPoint
	if p == nil {
		if p, err = OpenStartingPoint(c, o.Examples); err != nil {
			return nil, err
		}
	}
	notes := p.leftOut(c)
	c = p.settle(c)
	s, err := newSession(c, o.Examples, o.Setup, p)
	if err != nil {
		return nil, err
	}
	c.Finetune, c.Train = s.Setup.Config, s.Train
	c = SettleExamples(c)
	name := o.Name
	if name == "" {
		name = "finetune"
	}
	found := inherited(p.Dir, c.Data)
	found.Examples = s.Setup.Found
	r, unlock, err := create(o.Dir, name, Finetuned, c, found, p.Tokenizer, nil)
	if err != nil {
		return nil, err
	}
	s.Dir = r.Dir
	return &Finetuning{Run: r, Session: s, StartingPoint: p, Notes: notes, examples: o.Examples, unlock: unlock}, nil
}

// resumable are the settings of a fine-tuning that may change when it is resumed: those that
// leave its task, its examples and its parameters as they are. Those of training may, too.
var resumable = []string{"finetune.epochs", "finetune.min_steps", "finetune.warmup_fraction", "finetune.evaluations", "finetune.lambda", "finetune.dropout", "finetune.ngrams"}

// ResumeFinetuning goes on with the fine-tuning in the folder dir, the latest if it is "",
// from its last checkpoint, or if it was stopped before the first one, from its beginning.
// Each of settings, "section.key=value", changes its configuration, in its folder too.
func ResumeFinetuning(dir string, settings ...string) (f *Finetuning, err error) {
	r, err := openFinetuned(dir, "go on with `gpt train --resume --run %s`")
	if err != nil {
		return nil, err
	}
	c := r.Config
	for _, s := range settings {
		key, _, _ := strings.Cut(s, "=")
		if !strings.HasPrefix(key, "train.") && !slices.Contains(resumable, key) {
			return nil, fmt.Errorf("%s: a resumed fine-tuning can only change train settings and %s", configs.SetFlag(s), strings.Join(resumable, ", "))
		}
		if err := c.SetFinetuning(s); err != nil {
			return nil, err
		}
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	unlock, err := Lock(r.Dir)
	if err != nil {
		return nil, err
	}
	defer unlockAfter(&err, unlock)
	if err := CheckReadable(r.Dir, "examples", c.Finetune.Train, c.Finetune.Dev, c.Finetune.Test); err != nil {
		return nil, err
	}
	x, setup, err := finetune.Load(c.Finetune, &r.Found.Examples)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Dir, err)
	}
	resumed := *r
	resumed.Config = c
	f = &Finetuning{Run: &resumed, examples: x, unlock: unlock}
	begins := !hasCheckpoint(r.Dir) // it was stopped before its first checkpoint
	if begins {
		f.StartingPoint, err = OpenStartingPoint(c, x)
	} else {
		f.StartingPoint = &StartingPoint{Dir: c.Finetune.From}
		f.StartingPoint.Tokenizer, f.StartingPoint.Special, err = finetune.Extend(r.Tokenizer)
	}
	if err != nil {
		return nil, err
	}
	if f.Session, err = newSession(c, x, setup, f.StartingPoint); err != nil {
		return nil, err
	}
	f.Session.Dir = r.Dir
	if !begins {
		if f.First, err = f.Session.Resume(); err != nil {
			return nil, r.OrOther(filepath.Join(r.Dir, train.LastCheckpoint), err)
		}
		if steps := f.Session.Train.Steps; f.First > steps {
			return nil, fmt.Errorf("%s has made %d steps, more than the %d of these settings: raise finetune.epochs", r.Dir, f.First, steps)
		}
		f.Notes = f.resumeNotes(r.Config.Train)
	}
	// An earlier program may have planned other batches.
	c.Finetune, c.Train = f.Session.Setup.Config, f.Session.Train
	if !reflect.DeepEqual(c, r.Config) {
		err = f.Reconfigure(c)
	}
	return f, err
}

// resumeNotes says what a resumed fine-tuning does that its user may not expect.
func (f *Finetuning) resumeNotes(before train.Config) []string {
	now := f.Session.Train
	switch state := f.Session.State(); {
	case f.First == now.Steps:
		return []string{fmt.Sprintf("all %d steps are made, so only the results are measured; to train on, add --epochs N", f.First)}
	case f.Session.StoppedEarly():
		return []string{fmt.Sprintf("the fine-tuning stopped early at step %d, since its last %d evaluations brought nothing better than step %d did; only the results are measured; to train on all the same, add --set train.patience=0 or a larger number", f.First, now.Patience, state.BestStep)}
	}
	return append(f.Found.OtherInstructions(), rateChange(before, now, f.First)...)
}

// Train fine-tunes to the end, and leaves the results in the folder. When ctx ends it
// saves, and returns train.ErrInterrupted; ResumeFinetuning goes on from there.
func (f *Finetuning) Train(ctx context.Context) (finetune.Result, error) {
	defer f.Close()
	if f.adapts() {
		if err := f.adapt(ctx); err != nil {
			return finetune.Result{}, err
		}
	}
	var result finetune.Result
	err := f.Team.during(func() (err error) {
		if err = f.share(); err != nil {
			return err
		}
		result, err = f.Session.Run(ctx)
		return err
	})
	if result.Dev.Examples == 0 {
		return result, err
	}
	return result, errors.Join(err, f.Session.Write(result)) // also if the test set failed
}

// Resumable says whether the examples can be read again, so that ResumeFinetuning can go on
// with the run.
func (f *Finetuning) Resumable() bool {
	c := f.Config.Finetune
	return c.Train != piped && c.Dev != piped && c.Test != piped
}

// Close gives the folder free without training.
func (f *Finetuning) Close() {
	if f.unlock != nil {
		f.unlock()
		f.unlock = nil
	}
}

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

// corpus collects the texts of examples.
func corpus(sets ...[]labelled.Example) (c data.Corpus) {
	for _, set := range sets {
		for _, e := range set {
			for _, text := range [][]string{e.Texts, e.Choices, {strings.Join(e.Tokens, " ")}} {
				for _, t := range text {
					if t != "" {
						c.Documents = append(c.Documents, data.Document{Source: e.File, Text: t})
					}
				}
			}
		}
	}
	return c
}
