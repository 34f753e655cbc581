package run

import (
	"fmt"
	"path/filepath"
	"slices"

	"tinygpt/configs"
	"tinygpt/model"
	"tinygpt/train"
)

// Continue returns c with this run's model and tokenizer, for a new run that starts from
// its weights. These have all layers, so stages don't grow the model.
func (r *Run) Continue(c configs.Config) configs.Config {
	c.Model, c.Tokenizer = r.Config.Model, r.Config.Tokenizer
	c.Weights.From = r.Dir
	if absolute, err := filepath.Abs(r.Dir); err == nil {
		c.Weights.From = absolute
	}
	c.Train.Stages = slices.Clone(c.Train.Stages)
	for i := range c.Train.Stages {
		c.Train.Stages[i].Layers = 0
	}
	return c
}

// CheckContinued returns an error if c changes something that a run which starts from this
// run's weights can't change.
func (r *Run) CheckContinued(c configs.Config) error {
	free := r.Config.Model
	free.Dropout, free.Context = c.Model.Dropout, c.Model.Context
	grows := slices.ContainsFunc(c.Train.Stages, func(s train.Stage) bool { return s.Layers > 0 })
	switch {
	case grows:
		return fmt.Errorf("train.stages has layers: the weights of %s have all layers, so the model can't grow; leave layers out", r.Dir)
	case c.Model != free || c.Tokenizer != r.Config.Tokenizer:
		return fmt.Errorf("model and tokenizer are those of %s: only model.dropout can be changed, and model.context to less", r.Dir)
	case c.Model.Context > r.Config.Model.Context:
		return fmt.Errorf("model.context is %d: %s has %d positions, which can be cut down but not extended", c.Model.Context, r.Dir, r.Config.Model.Context)
	}
	return nil
}

// ContinuedModel loads the weights that a run with the configuration c starts from, cut
// down to its context.
func (r *Run) ContinuedModel(c configs.Config) (*model.Model, error) {
	m, _, err := r.Model("")
	if err != nil {
		return nil, err
	}
	m.SetDropout(c.Model.Dropout)
	if c.Model.Context != m.Config.Context {
		err = m.Crop(c.Model.Context)
	}
	return m, err
}
