package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tinygpt/configs"
	"tinygpt/data"
	"tinygpt/finetune"
	"tinygpt/train"
)

// Task-adaptive pre-training: before a fine-tuning, its starting weights go on with
// next-token prediction on the texts of the training examples, without their labels
// (Gururangan et al. 2020, section 4). It is a run of its own inside the fine-tuning's
// folder.

// adaptedFolder is the name of that run's folder.
const adaptedFolder = "adapted"

// Of Gururangan et al. 2020, appendix B: the learning rate of RoBERTa's smaller model, which
// is 768 wide, and the share of the steps that it warms up. A narrower model gets a higher
// rate, as in fine-tuning.
const (
	adaptRate   = 1e-4
	adaptWidth  = 768
	adaptWarmUp = 0.06
)

// adapts says whether the weights are still to be adapted before the fine-tuning begins.
func (f *Finetuning) adapts() bool {
	return f.Config.Finetune.Adapt > 0 && !hasCheckpoint(f.Dir)
}

// adapt adapts the weights that the fine-tuning starts from. When ctx ends it saves, and
// returns train.ErrInterrupted; called again it goes on from there.
func (f *Finetuning) adapt(ctx context.Context) error {
	dir := filepath.Join(f.Dir, adaptedFolder)
	if done, err := f.adapted(dir); err != nil {
		return err
	} else if !done {
		t, err := f.adaptation(dir)
		if err != nil {
			return fmt.Errorf("finetune.adapt: %w", err)
		}
		t.Trainer.Report = f.AdaptReport
		if f.Team != nil && t.Config.Train.CheckPeers(f.Team.Size()) == nil {
			t.Team = f.Team
		}
		if _, err := t.Train(ctx); err != nil {
			return err
		}
	}
	r, err := Open(dir)
	if err != nil {
		return err
	}
	m, _, err := r.Model("")
	if err != nil {
		return err
	}
	return f.Session.Model.CopyFrom(m)
}

// adapted says whether the run in dir has made all its steps. What a process left unfinished
// that was killed at their end is removed.
func (f *Finetuning) adapted(dir string) (bool, error) {
	if !hasCheckpoint(dir) {
		return false, nil
	}
	unlock, err := Lock(dir)
	if err != nil {
		return false, err
	}
	defer unlock()
	r, err := Open(dir)
	if err != nil {
		return false, err
	}
	_, state, err := r.Model("last")
	return state.Step >= r.Config.Train.Steps && !state.Pending, err
}

// adaptation begins the run in dir, or goes on with it.
func (f *Finetuning) adaptation(dir string) (*Training, error) {
	if hasCheckpoint(dir) {
		r, err := Open(dir)
		if err != nil {
			return nil, err
		}
		m, err := r.Material()
		if err != nil {
			return nil, err
		}
		return r.Resume(m)
	}
	// Without a checkpoint there is nothing to go on from.
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	from := f.StartingPoint.run
	c := adaptConfig(f.Config, from.Config)
	c.Weights.From = f.StartingPoint.Dir
	texts := &Texts{
		Training: corpus(f.examples.Train), Validation: corpus(f.examples.Dev),
		SHA256: corpus(f.examples.Train, f.examples.Dev).SHA256(),
	}
	material, err := texts.encode(from.Tokenizer, c.Model.Context)
	if err != nil {
		return nil, err
	}
	return Start(c, Options{Dir: dir, Material: material})
}

// adaptConfig returns the configuration of the run that adapts the weights of a run with
// the configuration base for the fine-tuning c.
func adaptConfig(c, base configs.Config) configs.Config {
	a := base
	a.Model.Dropout = c.Model.Dropout
	a.Data = configs.Data{ValFraction: base.Data.ValFraction, Windows: string(data.Documents)} // the texts are the examples'
	steps := c.Finetune.Adapt
	a.Train = c.Train
	a.Train.Steps, a.Train.GradientAccumulationSteps = steps, 1
	a.Train.LearningRate, a.Train.MinLearningRate = adaptRate*adaptWidth/float64(base.Model.Width), 0
	a.Train.WarmupSteps, a.Train.Decay = int(adaptWarmUp*float64(steps)), train.Linear
	a.Train.EvalInterval, a.Train.CheckpointInterval = (steps+3)/4, (steps+3)/4
	a.Train.SampleInterval, a.Train.Patience = 0, 0
	// As many parts as the fine-tuning has, for as many processes. If the batches can't be
	// divided so, one process adapts alone.
	a.Train.GradientParts = 0
	if shared, _, err := a.Train.ForPeers(max(1, c.Train.GradientParts)); err == nil {
		a.Train = shared
	}
	a.Finetune = finetune.Config{}
	return a
}
