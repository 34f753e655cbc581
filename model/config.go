package model

import (
	"errors"
	"fmt"
	"math"

	"tinygpt/internal/suggest"
	"tinygpt/model/kernel"
)

// Arch is one of two architectures, which differ in where a block normalises.
type Arch string

const (
	// GPT2 normalises what a block's parts read (pre-LN), and once more at the
	// end (Radford et al. 2019, section 2.3).
	GPT2 Arch = "gpt2"
	// GPT1 normalises after each residual sum (post-LN), with nothing at the end
	// (Radford et al. 2018, section 3.1).
	GPT1 Arch = "gpt1"
)

// Activation is the function of the feed-forward network, by transformers' name for it.
type Activation string

const (
	// GELUNew is the tanh form of GELU (Hendrycks and Gimpel 2016), which GPT-1 and GPT-2 use.
	GELUNew Activation = "gelu_new"
	// GELU is its exact form, x·Φ(x).
	GELU Activation = "gelu"
	// ReLU is max(x, 0).
	ReLU Activation = "relu"
	// SiLU is x·σ(x), also called swish.
	SiLU Activation = "silu"
)

// activations are the kernels by name.
var activations = map[Activation]kernel.Activation{
	"": kernel.TanhGELU, GELUNew: kernel.TanhGELU, GELU: kernel.ExactGELU, ReLU: kernel.ReLU, SiLU: kernel.SiLU,
}

// Config is the shape of a model.
type Config struct {
	// Arch is gpt2 (a block normalises its input) or gpt1 (it normalises its output).
	Arch Arch `yaml:"arch"`
	// Layers is the number of blocks.
	Layers int `yaml:"layers"`
	// Heads is the number of attention heads of a block; it divides Width.
	Heads int `yaml:"heads"`
	// Width is D, the size of a token's vector.
	Width int `yaml:"width"`
	// Context is the length of the longest sequence, in tokens.
	Context int `yaml:"context"`
	// VocabSize is V. In a run's config it follows from the tokenizer.
	VocabSize int `yaml:"vocab_size,omitempty"`
	// Dropout is the probability on embeddings, attention and the output of each
	// block, in training only.
	Dropout float32 `yaml:"dropout"`
	// UntiedHead gives the output head a table of its own. In GPT-1, 2 and 3 it
	// is the token embedding.
	UntiedHead bool `yaml:"untied_head,omitempty"`
	// Activation is the function of the feed-forward network: gelu_new (the tanh form of GELU,
	// also if empty), gelu (its exact form), relu or silu.
	Activation Activation `yaml:"activation,omitempty"`
	// InnerWidth is F, the size of the vector between the two layers of the feed-forward
	// network; 0 means 4·Width, as in GPT-1 and GPT-2.
	InnerWidth int `yaml:"inner_width,omitempty"`
	// LayerNormEpsilon is added to the variance; 0 means 1e-5, as in GPT-1 and GPT-2.
	LayerNormEpsilon float32 `yaml:"layer_norm_epsilon,omitempty"`
	// InitStd is the standard deviation of the weights before training; 0 means
	// 0.02·√(768/Width). That is GPT-2's 0.02 at the width of its smallest model, and
	// gives the outputs of a linear map the same variance at any width. (A narrow model
	// that starts from 0.02 spends hundreds of steps on growing its weights.)
	InitStd float64 `yaml:"init_std,omitempty"`
	// InitPositions is what the position table is filled with before training: random
	// numbers by default, or sinusoids. It is trained in either case.
	InitPositions string `yaml:"init_positions,omitempty"`
}

// Sinusoids is the value of Config.InitPositions for sines and cosines of growing
// wavelengths (Vaswani et al. 2017, section 3.5), of standard deviation InitStd.
// Neighbouring positions begin alike, so attention finds them sooner.
const Sinusoids = "sinusoids"

// Validate returns an error that says what is wrong with c, key by key.
func (c Config) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Arch != GPT1 && c.Arch != GPT2 {
		complain("model.arch is %q: %s", c.Arch, suggest.Expected(c.Arch, GPT2, GPT1))
	}
	for _, f := range []struct {
		key   string
		value int
	}{{"layers", c.Layers}, {"heads", c.Heads}, {"width", c.Width}, {"context", c.Context}, {"vocab_size", c.VocabSize}} {
		if f.value < 1 {
			complain("model.%s is %d: expected 1 or more", f.key, f.value)
		}
	}
	if c.Heads > 0 && c.Width%c.Heads != 0 {
		complain("model.heads is %d, which doesn't divide model.width %d: each head gets width/heads columns; try heads %d", c.Heads, c.Width, nearestDivisor(c.Width, c.Heads))
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		complain("model.dropout is %v: expected 0 or more and less than 1", c.Dropout)
	}
	if _, ok := activations[c.Activation]; !ok {
		complain("model.activation is %q: expected %s (tanh form of GELU, the default), %s (exact form), %s or %s%s", c.Activation, GELUNew, GELU, ReLU, SiLU,
			suggest.DidYouMean(c.Activation, GELUNew, GELU, ReLU, SiLU))
	}
	if c.InnerWidth < 0 {
		complain("model.inner_width is %d: expected 1 or more, or 0 for 4·width", c.InnerWidth)
	}
	if !(c.LayerNormEpsilon >= 0 && c.LayerNormEpsilon < 1) {
		complain("model.layer_norm_epsilon is %v: expected more than 0 and less than 1", c.LayerNormEpsilon)
	}
	if !(c.InitStd >= 0 && c.InitStd < 10) {
		complain("model.init_std is %v: expected 0 (follows from the width) or more, and less than 10", c.InitStd)
	}
	if c.InitPositions != "" && c.InitPositions != Sinusoids {
		complain("model.init_positions is %q: expected %s, or nothing for random ones%s", c.InitPositions, Sinusoids, suggest.DidYouMean(c.InitPositions, Sinusoids))
	}
	return errors.Join(errs...)
}

// nearestDivisor is the divisor of n that is closest to d, or 1 if there is none near it.
func nearestDivisor(n, d int) int {
	d = min(d, n)
	for off := range min(d, 1_000_000) {
		for _, k := range []int{d - off, d + off} {
			if k > 0 && n%k == 0 {
				return k
			}
		}
	}
	return 1
}

// Inner is F, the size of the vector between the two layers of the feed-forward network:
// InnerWidth, or its default.
func (c Config) Inner() int {
	if c.InnerWidth == 0 {
		return 4 * c.Width
	}
	return c.InnerWidth
}

// epsilon is LayerNormEpsilon with its default.
func (c Config) epsilon() float32 {
	if c.LayerNormEpsilon == 0 {
		return 1e-5
	}
	return c.LayerNormEpsilon
}

// initStd is InitStd with its default.
func (c Config) initStd() float64 {
	if c.InitStd == 0 {
		return 0.02 * math.Sqrt(768/float64(c.Width))
	}
	return c.InitStd
}

// LossAtStart estimates the loss of a model before training, in nats per token: ln V for
// equal probabilities, plus half the variance of the random logits. (After the last
// LayerNorm a hidden state has length √Width.)
func (c Config) LossAtStart() float64 {
	return math.Log(float64(c.VocabSize)) + c.initStd()*c.initStd()*float64(c.Width)/2
}
