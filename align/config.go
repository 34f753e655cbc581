package align

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"tinygpt/align/loss"
	"tinygpt/data/instruct"
	"tinygpt/internal/suggest"
)

// Config has the settings of alignment: a section for each step.
type Config struct {
	// World is the built-in world of instructions.
	World World `yaml:"world"`
	// SFT is step 1: supervised fine-tuning on demonstrations.
	SFT Supervised `yaml:"sft"`
	// Reward is step 2: a reward model, from comparisons of answers.
	Reward RewardModel `yaml:"reward"`
	// PPO is step 3: reinforcement learning for the reward.
	PPO Policy `yaml:"ppo"`
	// GRPO is the same with groups of answers in place of a value model.
	GRPO Policy `yaml:"grpo"`
	// DPO is learning from pairs of answers without a reward model.
	DPO Preference `yaml:"dpo"`
	// Evaluation is how models are compared.
	Evaluation Evaluation `yaml:"evaluation"`
}

// World is the built-in world of instructions.
type World struct {
	// Scale is the number of prompts, relative to the paper's.
	Scale float64 `yaml:"scale"`
	// Seed is the seed of prompts, labelers and trainings.
	Seed uint64 `yaml:"seed"`
	// MaxTokens is the maximum number of tokens of an answer.
	MaxTokens int `yaml:"max_tokens"`
}

// Supervised is fine-tuning on demonstrations.
type Supervised struct {
	// Epochs is how often each demonstration is seen.
	Epochs int `yaml:"epochs"`
	// BatchSize is the number of demonstrations of an update.
	BatchSize int `yaml:"batch_size"`
	// LearningRate is the highest learning rate; it falls along a cosine to a tenth.
	LearningRate float64 `yaml:"learning_rate"`
	// Dropout is the model's probability of dropout.
	Dropout float32 `yaml:"dropout"`
	// Evaluations is how often the validation split is measured.
	Evaluations int `yaml:"evaluations"`
}

// RewardModel is the training of scores from comparisons.
type RewardModel struct {
	// Epochs is how often each comparison is seen.
	Epochs int `yaml:"epochs"`
	// Prompts is the number of prompts of an update, each with all its answers.
	Prompts int `yaml:"prompts"`
	// LearningRate is the highest learning rate.
	LearningRate float64 `yaml:"learning_rate"`
	// FewestAnswers is the smallest number of answers to a prompt.
	FewestAnswers int `yaml:"fewest_answers"`
	// MostAnswers is the largest number of answers to a prompt.
	MostAnswers int `yaml:"most_answers"`
	// Evaluations is how often the validation split is measured.
	Evaluations int `yaml:"evaluations"`
	// Surprise says, with an embedding that is added to each token's, how little the model that
	// the reward model starts from expected the token: one of ten levels.
	Surprise bool `yaml:"surprise,omitempty"`
}

// Policy is reinforcement learning: PPO or GRPO.
type Policy struct {
	// Updates is the number of roll-outs that are learned from.
	Updates int `yaml:"updates"`
	// Episodes is the number of answers of a roll-out.
	Episodes int `yaml:"episodes"`
	// Group is the number of answers to the same prompt; 1 for PPO.
	Group int `yaml:"group"`
	// MiniBatch is how many episodes a step of the optimiser sees.
	MiniBatch int `yaml:"mini_batch"`
	// Epochs is how often each episode of a roll-out is seen.
	Epochs int `yaml:"epochs"`
	// LearningRate is constant after Warmup.
	LearningRate float64 `yaml:"learning_rate"`
	// Warmup is the number of updates in which the learning rate rises from 0.
	Warmup int `yaml:"warmup_updates"`
	// KL is β, the price of a nat of divergence from the reference.
	KL float64 `yaml:"kl"`
	// KLIn is where the price is paid: reward (InstructGPT, equation 2), or loss, as a term
	// of the loss (DeepSeekMath), which has a different gradient.
	KLIn string `yaml:"kl_in"`
	// KLTarget is the divergence that KL is adapted to reach; 0: KL stays as it is.
	KLTarget float64 `yaml:"kl_target,omitempty"`
	// KLHorizon is over how many episodes KL is adapted.
	KLHorizon int `yaml:"kl_horizon,omitempty"`
	// MaxKL is the mean divergence of an answer from the reference, in nats, above which the
	// run stops; 0: it doesn't.
	MaxKL float64 `yaml:"max_kl"`
	// Clip is ε: a token whose ratio of probabilities is further from 1 has no gradient.
	Clip float64 `yaml:"clip"`
	// Gamma is the discount γ: a reward counts γᵏ for the token k places before it.
	Gamma float64 `yaml:"gamma"`
	// Lambda is λ of generalised advantage estimation.
	Lambda float64 `yaml:"lambda"`
	// ValueRate is the learning rate of the value model.
	ValueRate float64 `yaml:"value_learning_rate,omitempty"`
	// ValueClip is the distance from the value of the roll-out at which a value has no gradient
	// any more.
	ValueClip float64 `yaml:"value_clip,omitempty"`
	// ValueWeight is the weight of the loss of ValueHead.
	ValueWeight float64 `yaml:"value_weight,omitempty"`
	// ValueHead says whether values come from a head on the policy in place of a separate value
	// model.
	ValueHead bool `yaml:"value_head,omitempty"`
	// MissingEnd is subtracted from the score of an answer that the limit of tokens cut off.
	MissingEnd float64 `yaml:"missing_end"`
	// Whiten says whether advantages are scaled to mean 0 and variance 1; for GRPO, whether a
	// group's are divided by their deviation.
	Whiten bool `yaml:"whiten"`
	// Pretraining is the weight of the loss of as many windows of the pre-training text
	// as there are episodes (PPO-ptx); 0: none.
	Pretraining float64 `yaml:"pretraining"`
	// Average is the decay of the running mean of the weights over updates; 0: none.
	Average float64 `yaml:"average,omitempty"`
	// Entropy is the weight of a bonus for the entropy of the policy.
	Entropy float64 `yaml:"entropy,omitempty"`
	// EvalEvery is the number of updates between two evaluations on held-out prompts; the best
	// weights are kept.
	EvalEvery int `yaml:"eval_every"`
}

// Values of Policy.KLIn.
const (
	KLReward = "reward"
	KLLoss   = "loss"
)

// Preference is learning from pairs without a reward model.
type Preference struct {
	// Loss is dpo, ipo or hinge.
	Loss loss.Kind `yaml:"loss"`
	// Epochs is how often each pair is seen.
	Epochs int `yaml:"epochs"`
	// BatchSize is the number of pairs of an update.
	BatchSize int `yaml:"batch_size"`
	// PairsOfPrompt is how many of the pairs of a prompt's answers are used; they are drawn at
	// random.
	PairsOfPrompt int `yaml:"pairs_of_prompt"`
	// LearningRate is the highest learning rate.
	LearningRate float64 `yaml:"learning_rate"`
	// Beta is β, the price of divergence from the reference.
	Beta float64 `yaml:"beta"`
	// Smoothing is the assumed probability that a pair is labelled the wrong way round.
	Smoothing float64 `yaml:"smoothing,omitempty"`
	// SFT is the weight of the loss of the chosen answers as demonstrations (RPO).
	SFT float64 `yaml:"sft,omitempty"`
	// Evaluations is how often the validation split is measured.
	Evaluations int `yaml:"evaluations"`
}

// Evaluation is how models are compared.
type Evaluation struct {
	// Prompts is the maximum number of held-out prompts that are answered.
	Prompts int `yaml:"prompts"`
	// During is how many of them are answered in each evaluation of a training.
	During int `yaml:"during"`
}

// Default returns settings for models as wide as small.yaml's. Learning rates are 30 to 100
// times those that are usual for models of 10⁹ parameters.
func Default() Config {
	ppo := Policy{
		Updates: 50, Episodes: 64, Group: 1, MiniBatch: 16, Epochs: 1, LearningRate: 3e-4, Warmup: 5,
		KL: 0.1, KLIn: KLReward, KLHorizon: 10000, MaxKL: 40, Clip: 0.2, Gamma: 1, Lambda: 0.95,
		ValueRate: 1e-3, ValueClip: 0.2, ValueWeight: 0.1, MissingEnd: 1, Whiten: true, EvalEvery: 10,
	}
	grpo := ppo
	grpo.Group, grpo.KLIn, grpo.KL = 8, KLLoss, 0.02
	grpo.ValueRate, grpo.ValueClip, grpo.ValueWeight = 0, 0, 0
	return Config{
		World:      World{Scale: 0.1, Seed: 1, MaxTokens: 160},
		SFT:        Supervised{Epochs: 4, BatchSize: 16, LearningRate: 1e-3, Evaluations: 4},
		Reward:     RewardModel{Epochs: 1, Prompts: 4, LearningRate: 3e-4, FewestAnswers: 4, MostAnswers: 9, Evaluations: 4},
		PPO:        ppo,
		GRPO:       grpo,
		DPO:        Preference{Loss: loss.DPO, Epochs: 1, BatchSize: 16, PairsOfPrompt: 2, LearningRate: 1e-4, Beta: 0.1, Evaluations: 4},
		Evaluation: Evaluation{Prompts: 300, During: 96},
	}
}

// maxCount is the maximum of settings that count something: the plan of a training, such as
// the order of its batches, grows with some of them.
const maxCount = 1_000_000

// Validate checks the settings. The error has a line for each wrong key.
func (c Config) Validate() error {
	var errs []error
	whole := func(key string, value, least int) {
		if value < least || value > maxCount {
			errs = append(errs, fmt.Errorf("%s is %d: expected from %d to %d", key, value, least, maxCount))
		}
	}
	between := func(key string, value, from, to float64) {
		if !(value >= from && value <= to) {
			errs = append(errs, fmt.Errorf("%s is %v: expected from %v to %v", key, value, from, to))
		}
	}
	between("world.scale", c.World.Scale, 1e-4, 10)
	whole("world.max_tokens", c.World.MaxTokens, 1)
	whole("sft.epochs", c.SFT.Epochs, 1)
	whole("sft.batch_size", c.SFT.BatchSize, 1)
	whole("sft.evaluations", c.SFT.Evaluations, 1)
	between("sft.learning_rate", c.SFT.LearningRate, 0, 10)
	between("sft.dropout", float64(c.SFT.Dropout), 0, 0.999)
	whole("reward.epochs", c.Reward.Epochs, 1)
	whole("reward.prompts", c.Reward.Prompts, 1)
	whole("reward.fewest_answers", c.Reward.FewestAnswers, 2)
	whole("reward.most_answers", c.Reward.MostAnswers, c.Reward.FewestAnswers)
	if n := c.Reward.MostAnswers; n > instruct.MostAnswers {
		errs = append(errs, fmt.Errorf("reward.most_answers is %d: expected up to %d", n, instruct.MostAnswers))
	}
	whole("reward.evaluations", c.Reward.Evaluations, 1)
	between("reward.learning_rate", c.Reward.LearningRate, 0, 10)
	whole("dpo.epochs", c.DPO.Epochs, 1)
	whole("dpo.batch_size", c.DPO.BatchSize, 1)
	whole("dpo.pairs_of_prompt", c.DPO.PairsOfPrompt, 1)
	whole("dpo.evaluations", c.DPO.Evaluations, 1)
	between("dpo.learning_rate", c.DPO.LearningRate, 0, 10)
	between("dpo.beta", c.DPO.Beta, 1e-6, 1e6)
	between("dpo.smoothing", c.DPO.Smoothing, 0, 0.5)
	between("dpo.sft", c.DPO.SFT, 0, 1e6)
	if !slices.Contains(loss.Kinds, c.DPO.Loss) {
		errs = append(errs, fmt.Errorf("dpo.loss is %q: %s", c.DPO.Loss, suggest.Expected(c.DPO.Loss, loss.Kinds...)))
	}
	whole("evaluation.prompts", c.Evaluation.Prompts, 1)
	whole("evaluation.during", c.Evaluation.During, 1)
	return errors.Join(append(errs, c.PPO.validate("ppo", 1), c.GRPO.validate("grpo", 2))...)
}

// validate checks the settings of a section, whose group must be at least leastGroup.
func (p Policy) validate(section string, leastGroup int) error {
	var errs []error
	for _, n := range []struct {
		key          string
		value, least int
	}{
		{"updates", p.Updates, 1}, {"episodes", p.Episodes, 1}, {"group", p.Group, leastGroup}, {"mini_batch", p.MiniBatch, 1},
		{"epochs", p.Epochs, 1}, {"warmup_updates", p.Warmup, 0}, {"eval_every", p.EvalEvery, 1},
	} {
		if n.value < n.least || n.value > maxCount {
			errs = append(errs, fmt.Errorf("%s.%s is %d: expected from %d to %d", section, n.key, n.value, n.least, maxCount))
		}
	}
	for _, x := range []struct {
		key             string
		value, from, to float64
	}{
		{"learning_rate", p.LearningRate, 0, 10}, {"kl", p.KL, 0, math.MaxFloat64}, {"kl_target", p.KLTarget, 0, math.MaxFloat64},
		{"max_kl", p.MaxKL, 0, math.MaxFloat64}, {"clip", p.Clip, 1e-6, math.MaxFloat64}, {"gamma", p.Gamma, 0, 1}, {"lambda", p.Lambda, 0, 1},
		{"value_learning_rate", p.ValueRate, 0, 10}, {"value_clip", p.ValueClip, 0, math.MaxFloat64}, {"value_weight", p.ValueWeight, 0, math.MaxFloat64},
		{"missing_end", p.MissingEnd, 0, math.MaxFloat64}, {"pretraining", p.Pretraining, 0, math.MaxFloat64},
		{"average", p.Average, 0, 0.999999}, {"entropy", p.Entropy, 0, 10},
	} {
		if !(x.value >= x.from && x.value <= x.to) {
			errs = append(errs, fmt.Errorf("%s.%s is %v: expected from %v to %v", section, x.key, x.value, x.from, x.to))
		}
	}
	if p.KLIn != KLReward && p.KLIn != KLLoss {
		errs = append(errs, fmt.Errorf("%s.kl_in is %q: %s", section, p.KLIn, suggest.Expected(p.KLIn, KLReward, KLLoss)))
	}
	if p.Group > 0 && p.Episodes%p.Group != 0 {
		errs = append(errs, fmt.Errorf("%s.episodes is %d: expected a multiple of %s.group, %d", section, p.Episodes, section, p.Group))
	}
	if p.MiniBatch > 0 && p.Episodes%p.MiniBatch != 0 {
		errs = append(errs, fmt.Errorf("%s.episodes is %d: expected a multiple of %s.mini_batch, %d", section, p.Episodes, section, p.MiniBatch))
	}
	return errors.Join(errs...)
}
