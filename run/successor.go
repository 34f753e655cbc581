package run

import (
	"fmt"
	"path/filepath"
	"slices"

	"tinygpt/configs"
	"tinygpt/model"
	"tinygpt/train"
)

// A successor is a run that begins with the weights of another and has its model and
// tokenizer.

// Successor lays the run's model and tokenizer over the configuration of a run that
// is to begin with its weights. Its weights have all layers, so stages don't grow it.
func (r *Run) Successor(c configs.Config) configs.Config {
	c.Model, c.Tokenizer = r.Config.Model, r.Config.Tokenizer
	c.Weights.From, _ = filepath.Abs(r.Dir)
	c.Train.Stages = slices.Clone(c.Train.Stages)
	for i := range c.Train.Stages {
		c.Train.Stages[i].Layers = 0
	}
	return c
}

// CheckSuccessor says what a successor's configuration may not change.
func (r *Run) CheckSuccessor(c configs.Config) error {
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

// SuccessorModel loads the weights that a successor begins with, cut down to its
// context.
func (r *Run) SuccessorModel(c configs.Config) (*model.Model, error) {
	m, _, err := r.Model("")
	if err != nil {
		return nil, err
	}
	m.Config.Dropout = c.Model.Dropout
	if c.Model.Context != m.Config.Context {
		err = m.Crop(c.Model.Context)
	}
	return m, err
}
