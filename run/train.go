package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/internal/shell"
	"tinygpt/model"
	"tinygpt/sample"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// Options of Start. The zero value is a run in the next free folder.
type Options struct {
	// Dir is the run's folder. If it is "", the next free one of runs/Name-1, runs/Name-2, …
	// is taken.
	Dir, Name string
	// Material is what Prepare made of the configuration, if the caller has it already.
	Material *Material
	// Learning gives the options with which a tokenizer is learned; see Prepare.
	Learning func(bytes int) []tokenizer.TrainOption
	// WidenValidation holds more of a small text out than c.Data.ValFraction, which is meant
	// for a large one; a note says how much. See data.Corpus.ValidationFraction.
	WidenValidation bool
}

// Training is a language model's run that is being trained. Its folder is locked until
// Train returns or Close is called.
type Training struct {
	*Run
	*Material
	Model   *model.Model
	Trainer *train.Trainer
	// First is the number of updates that were made before: 0 unless resumed.
	First int
	// Team, unless nil, shares the training.
	Team *Team
	// Notes are what a user should know before the training begins or goes on.
	Notes []string

	unlock func()
}

// Start begins a run with the given configuration, which it doesn't change. If it is to
// start from another run's weights, see Run.Continue.
func Start(c configs.Config, o Options) (*Training, error) {
	var parent *Run
	if c.Weights.From != "" {
		var err error
		if parent, err = Open(c.Weights.From); err != nil {
			return nil, fmt.Errorf("weights.from: %w", err)
		}
		if err := parent.CheckContinued(c); err != nil {
			return nil, err
		}
	}
	if err := check(c); err != nil {
		return nil, err
	}
	material := o.Material
	if material == nil {
		var err error
		if material, err = prepare(c, o.WidenValidation, o.Learning); err != nil {
			return nil, err
		}
	}
	var notes []string
	if was, is := c.Data.ValFraction, material.valFraction; is > was {
		notes = append(notes, fmt.Sprintf("%.3g %% of this small text would say little: %.3g %% of it are held out for validation; --set data.val_fraction=%g has it as before", 100*was, 100*is, was))
		c.Data.ValFraction = is
	}
	if note := tokenizer.UnknownNote(material.Tokenizer, material.Training.Tokens); note != "" {
		notes = append(notes, note+" (tokenizer.kind bpe or gpt2)")
	}
	c = settle(c, material)
	m, err := initial(c, parent)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if name == "" {
		name = string(Text)
	}
	found := material.found
	if parent != nil {
		found.StartSHA256 = startSum(m)
	}
	r, unlock, err := create(o.Dir, name, Text, c, found, material.Tokenizer, nil)
	if err != nil {
		return nil, err
	}
	t := &Training{Run: r, Material: material, Model: m, Notes: append(notes, warmUp(c.Train)...), unlock: unlock}
	if err = material.save(r); err != nil && !slices.Contains(c.Data.Files, piped) {
		t.Notes = append(t.Notes, fmt.Sprintf("the texts' tokens can't be kept, so a resumed run reads the texts again: %v", err))
		err = nil
	}
	if err == nil {
		err = t.makeTrainer()
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return t, nil
}

// settle returns the configuration as the run keeps it.
func settle(c configs.Config, m *Material) configs.Config {
	c.Model.VocabSize = m.Tokenizer.VocabSize()
	c.Data.Files = SettleFiles(c.Data.Files)
	if c.Tokenizer.File != "" {
		if absolute, err := filepath.Abs(c.Tokenizer.File); err == nil {
			c.Tokenizer.File = absolute
		}
	}
	return c
}

// initial returns the model that a run begins with: the parent's, or without one random
// weights.
func initial(c configs.Config, parent *Run) (*model.Model, error) {
	if parent != nil {
		return parent.ContinuedModel(c)
	}
	return model.New(c.Model, c.Train.Seed)
}

// Resume goes on with the run in the folder dir, the latest if it is "", from its last
// checkpoint, or if it was stopped before the first one, from its beginning. Each of settings,
// "train.key=value", changes the run's configuration, in its folder too.
func Resume(dir string, settings ...string) (*Training, error) {
	dir, err := OrLatest(dir, Text)
	if err != nil {
		return nil, err
	}
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return r.Resume(nil, settings...)
}

// Resume goes on with the run from its last checkpoint; see the function Resume. material
// is the run's if the caller has it already, else nil.
func (r *Run) Resume(material *Material, settings ...string) (t *Training, err error) {
	switch r.Kind {
	case Text:
	case Imported:
		return nil, fmt.Errorf("%s was imported, and there is no training to resume: begin a run with its weights by `%s`", r.Dir, shell.Command("gpt", "train", "--from", r.Dir, "--data", "FILE"))
	default:
		command, _, _ := strings.Cut(kinds[r.Kind].command, " --")
		return nil, fmt.Errorf("%s holds a run of kind %s: go on with `%s --resume --run %s`", r.Dir, r.Kind, command, shell.Quote(r.Dir))
	}
	c := r.Config
	for _, s := range settings {
		if err := c.Set(s); err != nil {
			return nil, err
		}
	}
	if err := check(c); err != nil {
		return nil, err
	}
	unlock, err := Lock(r.Dir)
	if err != nil {
		return nil, err
	}
	defer unlockAfter(&err, unlock)
	if material == nil {
		if err := r.checkTexts(); err != nil {
			return nil, err
		}
		if material, err = r.Material(); err != nil {
			return nil, err
		}
	}
	m, err := r.beginning(c)
	if err != nil {
		return nil, err
	}
	resumed := *r
	resumed.Config = c
	t = &Training{Run: &resumed, Material: material, Model: m, unlock: unlock}
	if err := t.makeTrainer(); err != nil {
		return nil, err
	}
	if hasCheckpoint(r.Dir) {
		if t.First, err = t.Trainer.Resume(); err != nil {
			return nil, r.OrOther(filepath.Join(r.Dir, train.LastCheckpoint), err)
		}
	}
	switch {
	case c.Train.Steps < t.First && c.Train.Steps != r.Config.Train.Steps:
		return nil, fmt.Errorf("%s has made %d steps already: expected train.steps to be more, found %d", r.Dir, t.First, c.Train.Steps)
	case t.First >= c.Train.Steps && t.Trainer.Finished():
		return nil, &FinishedError{r.Dir, fmt.Sprintf("it has made all its %d steps", t.First), []string{"--set", fmt.Sprintf("train.steps=%d", 2*t.First)}}
	case t.Trainer.StoppedEarly():
		return nil, &FinishedError{r.Dir, fmt.Sprintf("it stopped early at step %d: its last %d evaluations brought nothing better than step %d did", t.First, c.Train.Patience, t.Trainer.State().BestStep),
			[]string{"--set", "train.patience=0"}}
	}
	t.Notes = slices.Concat(r.Found.OtherInstructions(), rateChange(r.Config.Train, c.Train, t.First), warmUp(c.Train))
	noted := r.Found.Validation.SHA256 != ""
	if !noted { // an earlier program made the run
		t.Found.Training, t.Found.Validation, t.Found.FloorBits = material.found.Training, material.found.Validation, material.found.FloorBits
	}
	if len(settings) > 0 || !noted {
		err = t.Reconfigure(c)
	}
	return t, err
}

// beginning returns the model that a resumed run needs: with the weights that it began with,
// if there is no checkpoint whose weights replace them.
func (r *Run) beginning(c configs.Config) (*model.Model, error) {
	if hasCheckpoint(r.Dir) || c.Weights.From == "" {
		return model.New(c.Model, c.Train.Seed)
	}
	parent, err := Open(c.Weights.From)
	if err != nil {
		return nil, fmt.Errorf("%s was stopped before its first checkpoint, and begins with another run's weights: %w", r.Dir, err)
	}
	m, err := initial(c, parent)
	if err == nil {
		_, err = r.CheckStart(m)
	}
	return m, err
}

// FinishedError says that there is nothing to go on with: the run is finished.
type FinishedError struct {
	Dir, Reason string
	TrainOn     []string // arguments with which it would be trained on
}

// Error says which run is finished, and why.
func (e *FinishedError) Error() string { return fmt.Sprintf("%s is finished: %s", e.Dir, e.Reason) }

// rateChange is a note if the learning rate jumps because a run goes on after step updates
// with other settings.
func rateChange(before, now train.Config, step int) []string {
	was, is := before.LearningRateAt(min(step, before.Steps-1)), now.LearningRateAt(step)
	if is <= 1.05*was && was <= 1.05*is {
		return nil
	}
	return []string{fmt.Sprintf("the learning rate goes from %.3g to %.3g at step %d: its schedule is another one now (train.steps, learning_rate, min_learning_rate, warmup_steps, decay)", was, is, step)}
}

// warmUp is a note if the learning rate never reaches the one that was asked for.
func warmUp(c train.Config) []string {
	if c.WarmupSteps < c.Steps {
		return nil
	}
	return []string{fmt.Sprintf("train.warmup_steps is %d and train.steps %d: the learning rate only gets to %.3g, not to the %.3g of train.learning_rate", c.WarmupSteps, c.Steps, c.LearningRateAt(c.Steps-1), c.LearningRate)}
}

// makeTrainer sets t.Trainer.
func (t *Training) makeTrainer() error {
	weights, err := t.Model.Weights(model.Float32)
	if err != nil {
		return err
	}
	c := t.Config
	evaluator := train.NewEvaluator(weights, t.Validation)
	t.Trainer = &train.Trainer{
		Config: c.Train, Model: t.Model, Dir: t.Dir,
		Objective: &train.LanguageModel{
			Text: t.Training, Order: data.Order(c.Data.Windows), Seed: c.Train.Seed, Accumulation: c.Train.GradientAccumulationSteps,
		},
		Validate: func(ctx context.Context) (train.Evaluation, error) {
			if t.Team != nil {
				evaluator.Peers = t.Team.Peers
			}
			evaluator.Windows = t.Validation.DocumentWindows(t.Trainer.Context())
			return evaluator.Run(ctx)
		},
		Sample: t.sample,
		Floor:  t.FloorLoss(),
		Curve: func() train.Curve {
			return newLossCurve(filepath.Join(t.Dir, LossCurveFile), "Cross-entropy, nats per token")
		},
	}
	return nil
}

// sample writes a text from its beginning. A tokenizer without an end of text has no token
// for that: then it goes on from the beginning of the validation split.
func (t *Training) sample(ctx context.Context) (string, error) {
	opening := ""
	if t.Run.Tokenizer.EndOfText() < 0 {
		opening = t.Opening(24)
	}
	o := t.Config.Sample
	o.MaxTokens = min(o.MaxTokens, max(t.Trainer.Context()-1, 1)) // later positions aren't trained yet
	requests, err := sample.Continue(t.Run.Tokenizer, opening, o, t.Config.Train.Seed, 1)
	if err != nil {
		return "", err
	}
	texts, err := sample.Generate(ctx, t.Model.NewDecoder(1), t.Run.Tokenizer, requests)
	if err != nil {
		return "", err
	}
	return texts[0].Text, nil
}

// Train trains to the end. When ctx ends it saves, and returns train.ErrInterrupted; Resume
// goes on from there.
func (t *Training) Train(ctx context.Context) (r train.Result, err error) {
	defer t.Close()
	err = t.Team.during(func() error {
		if err := t.share(); err != nil {
			return err
		}
		r, err = t.Trainer.Run(ctx)
		return err
	})
	return r, err
}

// Close gives the folder free without training.
func (t *Training) Close() {
	if t.unlock != nil {
		t.unlock()
		t.unlock = nil
	}
}
