package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"tinygpt/configs"
	"tinygpt/data/labelled"
	"tinygpt/finetune"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

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
	found.Examples, found.StartSHA256 = s.Setup.Found, startSum(p.Model)
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
	if c.Finetune.Examples > 0 && c.Train.Seed != r.Config.Train.Seed {
		return nil, fmt.Errorf("%s: train.seed is %d, and the run drew its finetune.examples, %d, by the seed %d: with another one it would go on with other examples; start a new run", r.Dir, c.Train.Seed, c.Finetune.Examples, r.Config.Train.Seed)
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
	f.StartingPoint = &StartingPoint{Dir: c.Finetune.From}
	if begins {
		if f.StartingPoint, err = OpenStartingPoint(c, x); err != nil {
			return nil, err
		}
		if !hasCheckpoint(filepath.Join(r.Dir, adaptedFolder)) { // which has weights of its own
			if _, err = f.CheckStart(f.StartingPoint.Model); err != nil {
				return nil, err
			}
		}
	}
	// Without weights the other run's tokenizer may be another one by now.
	if f.StartingPoint.Tokenizer, f.StartingPoint.Special, err = finetune.Extend(r.Tokenizer); err != nil {
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
