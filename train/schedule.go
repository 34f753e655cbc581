package train

import (
	"errors"
	"fmt"
	"math"

	"tinygpt/model"
)

// The ways in which the learning rate goes down.
const (
	Cosine = "cosine"
	Linear = "linear"
)

// LearningRateAt returns the rate of the update number step, counted from 0: linear
// warm-up, then decay.
func (c Config) LearningRateAt(step int) float64 {
	if step < c.WarmupSteps {
		return c.LearningRate * float64(step+1) / float64(c.WarmupSteps)
	}
	progress := float64(step-c.WarmupSteps) / float64(max(c.Steps-c.WarmupSteps, 1))
	left := (1 + math.Cos(math.Pi*progress)) / 2
	if c.Decay == Linear {
		left = 1 - progress
	}
	return c.MinLearningRate + (c.LearningRate-c.MinLearningRate)*left
}

// Stage is the beginning of a training, made cheaper: with the first layers of the model
// alone, on shorter sequences, or both. After the last stage the whole model is trained on
// its whole context.
type Stage struct {
	// Until is the share of the updates after which the stage ends.
	Until float64 `yaml:"until"`
	// Layers are trained, the first ones; 0 or more than the model has: all. What
	// joins later begins as the identity.
	Layers int `yaml:"layers,omitempty"`
	// Context is the length of the sequences; 0 or more than the model's: the model's.
	Context int `yaml:"context,omitempty"`
	// BatchSize is the number of sequences; 0: as many as give the tokens of a batch of
	// the whole training.
	BatchSize int `yaml:"batch_size,omitempty"`
}

// validateStages returns what is wrong with the stages.
func (c Config) validateStages() error {
	var errs []error
	last := Stage{}
	for i, s := range c.Stages {
		complain := func(key string, value any, expected string) {
			errs = append(errs, fmt.Errorf("train.stages[%d].%s is %v: expected %s", i, key, value, expected))
		}
		if !(s.Until > last.Until && s.Until < 1) {
			complain("until", s.Until, fmt.Sprintf("a share of the steps, more than %v and less than 1", last.Until))
		}
		if s.Layers < 0 || s.Layers > 0 && i > 0 && (last.Layers == 0 || s.Layers < last.Layers) {
			complain("layers", s.Layers, "0 (all) or more, and not less than in the stage before")
		}
		if s.Context < 0 || s.Context > 0 && i > 0 && (last.Context == 0 || s.Context < last.Context) {
			complain("context", s.Context, "0 (the model's) or more, and not less than in the stage before")
		}
		if s.BatchSize < 0 || s.BatchSize > mostSteps {
			complain("batch_size", s.BatchSize, fmt.Sprintf("0 (the same tokens) to %d", mostSteps))
		}
		last = s
	}
	return errors.Join(errs...)
}

// Phase is a stretch of a training that makes all its updates on one shape of batch with
// the same layers: one of the stages, or what follows them.
type Phase struct {
	First, Steps int // the number of its first update, counted from 0, and of its updates
	Layers       int
	Shape
	// StepFLOP counts the operations of one update; see model.Config.TrainingFLOP.
	StepFLOP float64
}

// Phases returns the phases of training a model of shape m, in order. Phases without an
// update, in a short training, are among them.
func (c Config) Phases(m model.Config) []Phase {
	var list []Phase
	first := 0
	for _, s := range append(c.Stages[:len(c.Stages):len(c.Stages)], Stage{Until: 1}) {
		p := Phase{First: first, Layers: m.Layers, Shape: Shape{s.BatchSize, m.Context}}
		if s.Layers > 0 {
			p.Layers = min(s.Layers, m.Layers)
		}
		if s.Context > 0 {
			p.Context = min(s.Context, m.Context)
		}
		if p.Batch == 0 {
			p.Batch = max(1, c.BatchSize*m.Context/p.Context)
		}
		p.Steps = int(math.Round(s.Until*float64(c.Steps))) - first
		first += p.Steps
		part := m
		part.Layers = p.Layers
		p.StepFLOP = float64(c.GradientAccumulationSteps) * part.TrainingFLOP(p.Batch, p.Context)
		if c.Optimiser == MuonName {
			p.StepFLOP += muonFLOP(part)
		}
		list = append(list, p)
	}
	return list
}

// ContextAt returns the length of the sequences that a model of shape m was trained on in
// the phase of state s. What it computes for later positions means nothing.
func (c Config) ContextAt(m model.Config, s State) int {
	phases := c.Phases(m)
	return phases[min(len(s.Stages), len(phases)-1)].Context
}

// workAfter returns the share of the phases' operations that is done after the given
// number of steps.
func workAfter(phases []Phase, steps int) float64 {
	var done, total float64
	for _, p := range phases {
		total += p.StepFLOP * float64(p.Steps)
		done += p.StepFLOP * float64(min(max(steps-p.First, 0), p.Steps))
	}
	return done / total
}
