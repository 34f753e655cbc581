// Package ladder trains models of growing size on the same text and finds how their loss
// falls (Kaplan et al. 2020; Hoffmann et al. 2022), small enough to be done in minutes.
package ladder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/goccy/go-yaml"

	"tinygpt/configs"
	"tinygpt/run"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// Ladder is a number of models that are trained one after another, the small ones first.
// Two at once, each on one of two cores, would hardly be faster: in the same time they make
// 21 % more steps of 1 × 48 and 9 % more of 4 × 112 (batches of 16 × 256 tokens), and the
// largest model, which takes most of the time, has no other to share the cores with.
type Ladder struct {
	// Config is what all models have in common. Its learning rate is that of a model
	// of Config.Model.Width.
	Config configs.Config
	Shapes []Shape // from small to large
	// HeadWidth is the columns of a head in all shapes.
	HeadWidth int
	Seeds     int // how many times each model is trained, with seeds from Config.Train.Seed on
	Dir       string
	Report    Report
	// Learning returns the options with which the tokenizer is learned; see run.Prepare.
	Learning func(bytes int) []tokenizer.TrainOption

	material *run.Material
}

// Report shows the progress of a ladder.
type Report interface {
	// Begin is called before a model is trained, the number-th of so many. done is how much
	// of the whole ladder is done, share what this model is of it: fractions of the
	// operations.
	Begin(r Rung, number, of int, done, share float64)
	// Step is called after each step of the model, of total.
	Step(m train.Metrics, total int)
	// Done is called for each trained model; before says that an earlier Run trained it.
	Done(r Result, before bool)
	// Close is called once, at the end of Run.
	Close()
}

// Rung is one model to train.
type Rung struct {
	Shape  Shape
	Seed   uint64
	Config configs.Config
	Dir    string
}

// settingsFile holds what a ladder's folder was made with.
const settingsFile = "ladder.yaml"

// Rungs returns all models, seed by seed, and the small ones first for each. Their
// vocabulary is that of the texts only during and after Run.
func (l *Ladder) Rungs() (rungs []Rung) {
	for i := range l.Seeds {
		seed := l.Config.Train.Seed + uint64(i)
		for _, s := range l.Shapes {
			c := l.Config
			c.Model = s.Of(c.Model)
			if l.material != nil {
				c.Model.VocabSize = l.material.Tokenizer.VocabSize()
			}
			c.Train.Seed = seed
			scale := LearningRateScale(s.Width, l.Config.Model.Width)
			c.Train.LearningRate *= scale
			c.Train.MinLearningRate *= scale
			rungs = append(rungs, Rung{s, seed, c, filepath.Join(l.Dir, fmt.Sprintf("seed-%d", seed), fmt.Sprintf("%dx%d", s.Layers, s.Width))})
		}
	}
	return rungs
}

// LearningRateScale returns the factor by which the learning rate of a model of width
// reference is multiplied for another width. An Adam step changes each weight by about the
// learning rate, so the change of a sum over the width grows with the width (Yang et al.
// 2022).
func LearningRateScale(width, reference int) float64 { return float64(reference) / float64(width) }

// FLOP returns the operations of the rung's training; see model.Config.TrainingFLOP.
func (r Rung) FLOP() float64 {
	flop := 0.0
	for _, p := range r.Config.Train.Phases(r.Config.Model) {
		flop += p.StepFLOP * float64(p.Steps)
	}
	return flop
}

// Tokens returns how many tokens each model sees.
func (l *Ladder) Tokens() int {
	c := l.Config
	return c.Train.Steps * c.Train.BatchSize * c.Train.GradientAccumulationSteps * c.Model.Context
}

// Run trains the models that aren't trained yet and returns the results of all, in the order
// of Rungs. When ctx ends it saves and returns the results so far with
// train.ErrInterrupted; the next Run goes on from there.
func (l *Ladder) Run(ctx context.Context) ([]Result, error) {
	defer l.Report.Close()
	if err := l.fits(); err != nil {
		return nil, err
	}
	if err := run.MakeStudyFolder(l.Dir); err != nil {
		return nil, err
	}
	unlock, err := run.Lock(l.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	begun, err := l.open()
	if err != nil {
		return nil, err
	}
	if l.material, err = run.Prepare(l.Config, l.Learning); err != nil {
		if begun { // so that texts that can't be read don't stay in the way of others
			os.Remove(filepath.Join(l.Dir, settingsFile))
		}
		return nil, err
	}
	rungs := l.Rungs()
	if err := l.checkTexts(rungs); err != nil {
		return nil, err
	}
	total, done := 0.0, 0.0
	for _, r := range rungs {
		total += r.FLOP()
	}
	var results []Result
	for i, r := range rungs {
		if ctx.Err() != nil {
			return results, train.ErrInterrupted
		}
		result, before, err := l.result(r)
		if err != nil {
			return results, err
		}
		if !before {
			l.Report.Begin(r, i+1, len(rungs), done/total, r.FLOP()/total)
			if err := l.train(ctx, r); err != nil {
				return results, err
			}
			var trained bool
			if result, trained, err = l.result(r); err == nil && !trained {
				err = fmt.Errorf("%s: no loss of step %d in %s: remove the folder, and it is trained again", r.Dir, r.Config.Train.Steps, train.MetricsFile)
			}
			if err != nil {
				return results, err
			}
		}
		done += r.FLOP()
		results = append(results, result)
		l.Report.Done(result, before)
	}
	return results, nil
}

// checkTexts returns an error if a model that the ladder has begun or trained has other texts.
func (l *Ladder) checkTexts(rungs []Rung) error {
	for _, rung := range rungs {
		if r, err := run.Open(rung.Dir); err == nil && r.Found.TextSHA256 != l.material.TextSHA256() {
			return fmt.Errorf("%s: the texts are not those that the ladder began with: restore them, or name another folder with --to", r.Dir)
		}
	}
	return nil
}

// fits returns an error if the ladder has a model that this computer hasn't enough memory
// for.
func (l *Ladder) fits() error {
	for _, s := range l.Shapes {
		m := s.Of(l.Config.Model)
		m.VocabSize = max(1, m.VocabSize) // 0 until there is a tokenizer
		if err := run.CheckMemory(m, "the layers, model.context or train.batch_size", train.Shape{Batch: l.Config.Train.BatchSize, Context: m.Context}); err != nil {
			return fmt.Errorf("the model of %s: %w", s, err)
		}
	}
	return nil
}

// open writes the settings into a new folder and returns true; of a folder that has settings
// it checks that they are those of this ladder.
func (l *Ladder) open() (begun bool, err error) {
	kept := l.Config
	kept.Data.Files = run.SettleFiles(kept.Data.Files)
	// The number of seeds isn't kept: more may be added later.
	text, err := yaml.Marshal(struct {
		Shapes []Shape
		Config configs.Config
	}{l.Shapes, kept})
	if err != nil {
		return false, err
	}
	return run.KeepSettings(l.Dir, settingsFile, "a ladder with other settings", text)
}

// train trains a rung, from its last checkpoint if it has one.
func (l *Ladder) train(ctx context.Context, rung Rung) error {
	t, err := l.begin(rung)
	if err != nil {
		return err
	}
	t.Trainer.Report = steps{to: l.Report}
	t.Trainer.Sample = nil
	debug.FreeOSMemory() // of the model before
	_, err = t.Train(ctx)
	return err
}

// begin starts a rung's run, or resumes it if it has a checkpoint.
func (l *Ladder) begin(rung Rung) (*run.Training, error) {
	r, err := run.Open(rung.Dir)
	if err != nil {
		return run.Start(rung.Config, run.Options{Dir: rung.Dir, Material: l.material})
	}
	if _, err := os.Stat(filepath.Join(r.Dir, train.LastCheckpoint)); err == nil {
		return r.Resume(l.material)
	}
	// It was interrupted before its first checkpoint.
	if err := os.RemoveAll(rung.Dir); err != nil {
		return nil, err
	}
	return run.Start(rung.Config, run.Options{Dir: rung.Dir, Material: l.material})
}

// steps is a train.Report that passes the steps of one model on to the ladder's report.
type steps struct {
	train.Silent
	to Report
}

func (s steps) Step(m train.Metrics, p train.Progress) { s.to.Step(m, p.Steps) }

// Result holds what a trained model reached.
type Result struct {
	Shape        Shape   `json:"shape"`
	Seed         uint64  `json:"seed"`
	Dir          string  `json:"dir"`
	Parameters   int64   `json:"parameters"`
	NonEmbedding int64   `json:"non_embedding_parameters"` // N
	Tokens       int     `json:"tokens"`
	FLOP         float64 `json:"flop"`
	LearningRate float64 `json:"learning_rate"`
	Loss         float64 `json:"loss"` // validation, nats per token
	BitsPerByte  float64 `json:"bits_per_byte"`
	Seconds      float64 `json:"seconds"`

	metrics []train.Metrics // of the whole training
}

// result reads what a rung's run has reached; trained reports whether the run is at its end.
// Metrics are written before the checkpoint: a run that was killed in between isn't at its
// end.
func (l *Ladder) result(r Rung) (result Result, trained bool, err error) {
	state, err := train.ReadState(filepath.Join(r.Dir, train.LastCheckpoint))
	if errors.Is(err, os.ErrNotExist) || err == nil && (state.Step < r.Config.Train.Steps || state.Pending) {
		return result, false, nil
	}
	if err != nil {
		return result, false, err
	}
	metrics, err := train.ReadMetrics(filepath.Join(r.Dir, train.MetricsFile))
	if errors.Is(err, os.ErrNotExist) {
		return result, false, nil
	}
	if err != nil {
		return result, false, err
	}
	n := r.Config.Model.Counts()
	for _, m := range metrics {
		if m.ValLoss == 0 && !(m.Loss > 0) || m.ValLoss < 0 || m.BitsPerByte < 0 {
			return result, false, fmt.Errorf("%s: step %d has a loss of %v: expected a number above 0; remove %s, and the model is trained again",
				filepath.Join(r.Dir, train.MetricsFile), m.Step, min(m.Loss, m.ValLoss, m.BitsPerByte), r.Dir)
		}
		if m.Step == r.Config.Train.Steps && m.ValLoss != 0 {
			return Result{
				Shape: r.Shape, Seed: r.Seed, Dir: r.Dir, Parameters: n.Total(), NonEmbedding: n.NonEmbedding(),
				Tokens: l.Tokens(), FLOP: r.FLOP(), LearningRate: r.Config.Train.LearningRate,
				Loss: m.ValLoss, BitsPerByte: m.BitsPerByte, Seconds: m.Elapsed, metrics: metrics,
			}, true, nil
		}
	}
	return result, false, nil
}

// Floor returns the exact entropy of the validation text in bits per byte, 0 if unknown. It
// must be called after Run.
func (l *Ladder) Floor() float64 { return l.material.FloorBitsPerByte() }
