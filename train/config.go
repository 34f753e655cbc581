package train

import (
	"errors"
	"fmt"
	"math"

	"tinygpt/internal/suggest"
	"tinygpt/model"
)

// Config says how a model is trained.
type Config struct {
	// Steps is the number of updates of the parameters.
	Steps int `yaml:"steps"`
	// BatchSize is the number of sequences in a batch.
	BatchSize int `yaml:"batch_size"`
	// GradientAccumulationSteps is the number of batches that an update uses.
	GradientAccumulationSteps int `yaml:"gradient_accumulation_steps"`
	// GradientParts divides the batches of an update into equal parts, one after another.
	// Gradients are added up within each part, then those of the parts in a tree over
	// neighbours. So several processes can share an update, with the bits that one has
	// alone: any number whose product with a power of two is GradientParts. 0 means 1.
	GradientParts int `yaml:"gradient_parts,omitempty"`

	// LearningRate is the highest learning rate; it is reached after WarmupSteps. 0 in a
	// fine-tuning: it follows from the model's width.
	LearningRate float64 `yaml:"learning_rate"`
	// MinLearningRate is the learning rate of the last step.
	MinLearningRate float64 `yaml:"min_learning_rate"`
	// WarmupSteps is the number of updates in which the learning rate rises linearly from 0.
	WarmupSteps int `yaml:"warmup_steps"`
	// Decay is how the learning rate goes down from LearningRate to MinLearningRate: cosine
	// (half a cosine; also if empty) or linear.
	Decay string `yaml:"decay,omitempty"`

	// RateFactors multiply the learning rate of some kinds of parameters.
	RateFactors RateFactors `yaml:"rate_factors,omitempty"`

	// Stages come before the training of the whole model on its whole context. None: all
	// updates are alike.
	Stages []Stage `yaml:"stages,omitempty"`

	// Optimiser is adamw (also if empty) or muon. Muon makes the steps of the matrices of the
	// layers orthogonal (Jordan et al. 2024), at rates on AdamW's scale; all else is AdamW's.
	// It gets further in as many updates, each of which takes longer, above all with small
	// batches.
	Optimiser string `yaml:"optimiser,omitempty"`
	// Momentum is Muon's: the decay of the mean of gradients; 0 means 0.95.
	Momentum float64 `yaml:"momentum,omitempty"`
	// Beta1 is AdamW's β₁, the decay of the mean of gradients (Loshchilov and Hutter 2019).
	Beta1 float64 `yaml:"beta1"`
	// Beta2 is AdamW's β₂, the decay of the mean of squared gradients.
	Beta2 float64 `yaml:"beta2"`
	// Epsilon is AdamW's ε.
	Epsilon float64 `yaml:"epsilon"`
	// WeightDecay is AdamW's λ. It acts on matrices and tables of vectors, not on biases and
	// gains.
	WeightDecay float64 `yaml:"weight_decay"`
	// GradClip is the largest global L2 norm of the gradient; 0 doesn't clip.
	GradClip float64 `yaml:"grad_clip"`
	// OnSpike says what is done with a batch whose loss or gradient norm is more than 7
	// standard deviations above the mean of the last 128: skip leaves it out, and notes that
	// in the metrics. Empty: all batches are trained on.
	OnSpike string `yaml:"on_spike,omitempty"`

	// EvalInterval is the number of steps from one measurement of the held-out split to the
	// next; 0: at the end only.
	EvalInterval int `yaml:"eval_interval"`
	// SampleInterval is the number of steps from one printed sample to the next; 0: at the
	// end only.
	SampleInterval int `yaml:"sample_interval"`
	// CheckpointInterval is the number of steps from one saved checkpoint to the next; 0: at
	// the end only.
	CheckpointInterval int `yaml:"checkpoint_interval"`
	// Patience ends the run after this number of evaluations in a row without an
	// improvement; 0: never.
	Patience int `yaml:"patience"`

	// Seed of the parameters, the order of batches and dropout.
	Seed uint64 `yaml:"seed"`
}

// muonMomentum is Momentum, or what 0 means: Jordan's.
func (c Config) muonMomentum() float64 {
	if c.Momentum == 0 {
		return 0.95
	}
	return c.Momentum
}

// RateFactors are factors of the learning rate by kind of parameter; 0 means 1. The
// matrices of linear maps have the factor 1.
type RateFactors struct {
	// Tables is the factor of token and position embeddings, and of an untied head.
	Tables float64 `yaml:"tables,omitempty"`
	// Vectors is the factor of biases and gains.
	Vectors float64 `yaml:"vectors,omitempty"`
	// LayerDecay multiplies the rate once more for each layer below the last one, and for
	// the embeddings below the first (Howard and Ruder 2018, section 3.2: discriminative
	// fine-tuning, which takes 1/2.6). So lower layers, which hold what is general, keep
	// more of it.
	LayerDecay float64 `yaml:"layer_decay,omitempty"`
}

// of returns the factor of a parameter of a model with the given number of layers.
func (f RateFactors) of(p *model.Parameter, layers int) float64 {
	orOne := func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return x
	}
	factor := 1.0
	switch {
	case model.IsTable(p.Name):
		factor = orOne(f.Tables)
	case p.Value.Dims() == 1:
		factor = orOne(f.Vectors)
	}
	below := 0 // the last LayerNorm and heads are above all layers
	if layer, ok := model.LayerOf(p.Name); ok {
		below = layers - 1 - layer
	} else if model.IsEmbedding(p.Name) {
		below = layers
	}
	return factor * math.Pow(orOne(f.LayerDecay), float64(below))
}

// What no training needs, and what keeps the numbers that are computed of these settings
// within 64 bits.
const mostSteps, mostBatches = 1_000_000_000, 1_000_000

// Validate returns what is wrong with c, key by key.
func (c Config) Validate() error {
	var errs []error
	whole := func(key string, value, least, most int) {
		switch {
		case value < least:
			errs = append(errs, fmt.Errorf("train.%s is %d: expected %d or more", key, value, least))
		case value > most:
			errs = append(errs, fmt.Errorf("train.%s is %d: expected %d or less", key, value, most))
		}
	}
	whole("steps", c.Steps, 1, mostSteps)
	whole("batch_size", c.BatchSize, 1, mostSteps)
	whole("gradient_accumulation_steps", c.GradientAccumulationSteps, 1, mostBatches)
	whole("gradient_parts", c.GradientParts, 0, mostBatches)
	if c.GradientAccumulationSteps%c.parts() != 0 {
		errs = append(errs, fmt.Errorf("train.gradient_parts is %d: expected a divisor of train.gradient_accumulation_steps, which is %d", c.GradientParts, c.GradientAccumulationSteps))
	}
	whole("warmup_steps", c.WarmupSteps, 0, mostSteps)
	whole("eval_interval", c.EvalInterval, 0, mostSteps)
	whole("sample_interval", c.SampleInterval, 0, mostSteps)
	whole("checkpoint_interval", c.CheckpointInterval, 0, mostSteps)
	whole("patience", c.Patience, 0, mostSteps)
	between := func(key string, value, from, below float64) {
		if !(value >= from && value < below) {
			errs = append(errs, fmt.Errorf("train.%s is %v: expected %v or more and less than %v", key, value, from, below))
		}
	}
	between("learning_rate", c.LearningRate, 0, 10)
	between("min_learning_rate", c.MinLearningRate, 0, 10)
	between("beta1", c.Beta1, 0, 1)
	between("beta2", c.Beta2, 0, 1)
	between("momentum", c.Momentum, 0, 1)
	between("epsilon", c.Epsilon, 1e-30, 1)
	between("weight_decay", c.WeightDecay, 0, 100)
	between("grad_clip", c.GradClip, 0, math.Inf(1))
	if c.MinLearningRate > c.LearningRate {
		errs = append(errs, fmt.Errorf("train.min_learning_rate is %v, above train.learning_rate %v", c.MinLearningRate, c.LearningRate))
	}
	for key, value := range map[string]float64{"tables": c.RateFactors.Tables, "vectors": c.RateFactors.Vectors} {
		between("rate_factors."+key, value, 0, 1000)
	}
	if !(c.RateFactors.LayerDecay >= 0 && c.RateFactors.LayerDecay <= 1) {
		errs = append(errs, fmt.Errorf("train.rate_factors.layer_decay is %v: expected more than 0 and at most 1", c.RateFactors.LayerDecay))
	}
	errs = append(errs, c.validateStages())
	if c.OnSpike != "" && c.OnSpike != Skip {
		errs = append(errs, fmt.Errorf("train.on_spike is %q: expected %s, or nothing%s", c.OnSpike, Skip, suggest.DidYouMean(c.OnSpike, Skip)))
	}
	if c.Optimiser != "" && c.Optimiser != AdamWName && c.Optimiser != MuonName {
		errs = append(errs, fmt.Errorf("train.optimiser is %q: %s", c.Optimiser, suggest.Expected(c.Optimiser, AdamWName, MuonName)))
	} else if c.Momentum != 0 && c.Optimiser != MuonName {
		errs = append(errs, fmt.Errorf("train.momentum is %v: only muon has it (train.optimiser); adamw has train.beta1", c.Momentum))
	}
	if c.Decay != "" && c.Decay != Cosine && c.Decay != Linear {
		errs = append(errs, fmt.Errorf("train.decay is %q: %s", c.Decay, suggest.Expected(c.Decay, Cosine, Linear)))
	}
	return errors.Join(errs...)
}
