package train

import (
	"errors"
	"fmt"
	"math"
)

// Config is how a model is trained.
type Config struct {
	// Steps is the number of updates.
	Steps int `yaml:"steps"`
	// BatchSize is the number of sequences the graph computes at once. An update
	// sees BatchSize · GradientAccumulationSteps of them.
	BatchSize                 int `yaml:"batch_size"`
	GradientAccumulationSteps int `yaml:"gradient_accumulation_steps"`

	// LearningRate rises linearly from 0 over WarmupSteps, then goes down to
	// MinLearningRate at Steps: by Decay "cosine" (the default) along half a cosine,
	// by "linear" along a line.
	LearningRate    float64 `yaml:"learning_rate"`
	MinLearningRate float64 `yaml:"min_learning_rate"`
	WarmupSteps     int     `yaml:"warmup_steps"`
	Decay           string  `yaml:"decay,omitempty"`

	// AdamW (Loshchilov and Hutter 2019); decay acts on matrices only.
	Beta1       float64 `yaml:"beta1"`
	Beta2       float64 `yaml:"beta2"`
	Epsilon     float64 `yaml:"epsilon"`
	WeightDecay float64 `yaml:"weight_decay"`
	// GradClip is the largest global L2 norm of the gradient; 0 doesn't clip.
	GradClip float64 `yaml:"grad_clip"`

	// Every so many steps: evaluate on the held-out split, print a sample, save.
	// 0 means at the end only.
	EvalInterval       int `yaml:"eval_interval"`
	SampleInterval     int `yaml:"sample_interval"`
	CheckpointInterval int `yaml:"checkpoint_interval"`
	// Patience ends the run after so many evaluations in a row that brought nothing
	// better; 0: never.
	Patience int `yaml:"patience"`

	// Seed of the parameters, the order of batches and dropout.
	Seed uint64 `yaml:"seed"`
}

// Validate says what is wrong with c, key by key.
func (c Config) Validate() error {
	var errs []error
	whole := func(key string, value, least int) {
		if value < least {
			errs = append(errs, fmt.Errorf("train.%s is %d: expected %d or more", key, value, least))
		}
	}
	whole("steps", c.Steps, 1)
	whole("batch_size", c.BatchSize, 1)
	whole("gradient_accumulation_steps", c.GradientAccumulationSteps, 1)
	whole("warmup_steps", c.WarmupSteps, 0)
	whole("eval_interval", c.EvalInterval, 0)
	whole("sample_interval", c.SampleInterval, 0)
	whole("checkpoint_interval", c.CheckpointInterval, 0)
	whole("patience", c.Patience, 0)
	between := func(key string, value, from, below float64) {
		if !(value >= from && value < below) {
			errs = append(errs, fmt.Errorf("train.%s is %v: expected %v or more and less than %v", key, value, from, below))
		}
	}
	between("learning_rate", c.LearningRate, 0, 10)
	between("min_learning_rate", c.MinLearningRate, 0, 10)
	between("beta1", c.Beta1, 0, 1)
	between("beta2", c.Beta2, 0, 1)
	between("epsilon", c.Epsilon, 1e-30, 1)
	between("weight_decay", c.WeightDecay, 0, 100)
	between("grad_clip", c.GradClip, 0, math.Inf(1))
	if c.MinLearningRate > c.LearningRate {
		errs = append(errs, fmt.Errorf("train.min_learning_rate is %v, above train.learning_rate %v", c.MinLearningRate, c.LearningRate))
	}
	if c.Decay != "" && c.Decay != Cosine && c.Decay != Linear {
		errs = append(errs, fmt.Errorf("train.decay is %q: expected %s or %s", c.Decay, Cosine, Linear))
	}
	return errors.Join(errs...)
}

// The ways in which the learning rate goes down.
const (
	Cosine = "cosine"
	Linear = "linear"
)

// progress returns the share of the run's work that is done after the given number of
// steps.
func (c Config) progress(step int) float64 { return float64(step) / float64(c.Steps) }

// LearningRateAt is the rate of the update number step, counted from 0: linear
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
