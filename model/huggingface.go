package model

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// huggingFace is a config.json of transformers, model types gpt2 and openai-gpt.
// Keys that only one of them has, or that may be absent, are pointers.
type huggingFace struct {
	ModelType        string   `json:"model_type"`
	Architectures    []string `json:"architectures"`
	VocabSize        int      `json:"vocab_size"`
	Positions        int      `json:"n_positions"`
	Width            int      `json:"n_embd"`
	Layers           int      `json:"n_layer"`
	Heads            int      `json:"n_head"`
	Inner            *int     `json:"n_inner,omitempty"`
	Activation       *string  `json:"activation_function,omitempty"` // gpt2
	AFN              *string  `json:"afn,omitempty"`                 // openai-gpt
	LayerNormEpsilon float32  `json:"layer_norm_epsilon"`
	EmbeddingDropout float32  `json:"embd_pdrop"`
	AttentionDropout float32  `json:"attn_pdrop"`
	ResidualDropout  float32  `json:"resid_pdrop"`
	Tied             bool     `json:"tie_word_embeddings"`
	BOS              tokenIDs `json:"bos_token_id"`
	EOS              tokenIDs `json:"eos_token_id"`
	Dtype            string   `json:"dtype,omitempty"`

	// Scores of attention that aren't scaled by 1/√d_head alone, gpt2 only; see scoreScale.
	ScaleAttn    *bool `json:"scale_attn_weights,omitempty"`
	ScaleByLayer bool  `json:"scale_attn_by_inverse_layer_idx,omitempty"`
	// Variants that aren't computed here.
	CrossAttention bool            `json:"add_cross_attention,omitempty"`
	Pruned         map[string]any  `json:"pruned_heads,omitempty"`
	Quantization   json.RawMessage `json:"quantization_config,omitempty"`
}

// tokenIDs are the ids of special tokens: in JSON null, an id, or a list of ids.
type tokenIDs []int32

// UnmarshalJSON reads null, an id, or a list of ids.
func (t *tokenIDs) UnmarshalJSON(text []byte) error {
	var one int32
	if err := json.Unmarshal(text, &one); err == nil && string(text) != "null" {
		*t = tokenIDs{one}
		return nil
	}
	return json.Unmarshal(text, (*[]int32)(t))
}

// MarshalJSON writes null or an id if there are no more.
func (t tokenIDs) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]int32(t))
}

// huggingFaceTypes are the model types by architecture.
var huggingFaceTypes = map[Arch]struct{ modelType, architecture string }{
	GPT2: {"gpt2", "GPT2LMHeadModel"},
	GPT1: {"openai-gpt", "OpenAIGPTLMHeadModel"},
}

// huggingFaceActivations are transformers' names of activations. In openai-gpt "gelu" means the
// tanh form too; see ParseHuggingFace.
var huggingFaceActivations = map[string]Activation{
	"gelu_new": GELUNew, "gelu_pytorch_tanh": GELUNew, "gelu_fast": GELUNew, "gelu_accurate": GELUNew, "gelu_python_tanh": GELUNew,
	"gelu": GELU, "gelu_python": GELU, "relu": ReLU, "silu": SiLU, "swish": SiLU,
}

// scoreScale is what the scores of a model's attention are multiplied by in each layer, besides
// 1/√d_head. nil means 1.
type scoreScale func(layer int) float64

// ParseHuggingFace reads a config.json of transformers, model types gpt2 and
// openai-gpt. A key that is absent has the value that transformers gives it.
// Settings that aren't computed here are refused. Of the three dropout probabilities,
// which matter in training only, resid_pdrop is taken.
func ParseHuggingFace(text []byte) (Config, error) {
	c, _, err := parseHuggingFace(text)
	return c, err
}

// parseHuggingFace is ParseHuggingFace, with the scale of scores, which a Config hasn't: it is
// multiplied into the weights of the queries.
func parseHuggingFace(text []byte) (c Config, scale scoreScale, err error) {
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return Config{}, nil, jsonError(err)
	}
	var arch Arch
	for a, t := range huggingFaceTypes {
		if t.modelType == kind.ModelType {
			arch = a
		}
	}
	h := huggingFace{Width: 768, Layers: 12, Heads: 12, ResidualDropout: 0.1, LayerNormEpsilon: 1e-5, Tied: true}
	switch arch {
	case GPT2:
		h.VocabSize, h.Positions = 50257, 1024
	case GPT1:
		h.VocabSize, h.Positions = 40478, 512
	default:
		return Config{}, nil, fmt.Errorf("model_type is %q: expected gpt2 or openai-gpt", kind.ModelType)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return Config{}, nil, jsonError(err)
	}
	if err := h.check(arch); err != nil {
		return Config{}, nil, err
	}
	c = Config{
		Arch: arch, Layers: h.Layers, Heads: h.Heads, Width: h.Width, Context: h.Positions, VocabSize: h.VocabSize,
		Dropout: h.ResidualDropout, UntiedHead: !h.Tied, LayerNormEpsilon: h.LayerNormEpsilon,
	}
	if name := h.activation(arch); name != nil {
		c.Activation = huggingFaceActivations[*name]
	}
	if c.Activation == GELUNew || arch == GPT1 && c.Activation == GELU {
		c.Activation = ""
	}
	if arch == GPT2 && h.Inner != nil && *h.Inner != 4*h.Width { // openai-gpt has no such setting
		c.InnerWidth = *h.Inner
	}
	return c, h.scoreScale(arch), c.Validate()
}

// activation is the name of the activation under the key that the architecture has; nil if
// there is none.
func (h huggingFace) activation(arch Arch) *string {
	if arch == GPT1 {
		return h.AFN
	}
	return h.Activation
}

// scoreScale is what gpt2's two settings of it say; openai-gpt has none.
func (h huggingFace) scoreScale(arch Arch) scoreScale {
	unscaled := h.ScaleAttn != nil && !*h.ScaleAttn
	if arch == GPT1 || !unscaled && !h.ScaleByLayer {
		return nil
	}
	return func(layer int) float64 {
		scale := 1.0
		if unscaled {
			scale = math.Sqrt(float64(h.Width / h.Heads))
		}
		if h.ScaleByLayer {
			scale /= float64(layer + 1)
		}
		return scale
	}
}

// check returns an error if h has settings that aren't computed here, by the keys of the file.
func (h huggingFace) check(arch Arch) error {
	for _, f := range []struct {
		key   string
		value int
	}{{"n_layer", h.Layers}, {"n_head", h.Heads}, {"n_embd", h.Width}, {"n_positions", h.Positions}, {"vocab_size", h.VocabSize}} {
		if f.value < 1 {
			return fmt.Errorf("%s is %d: expected 1 or more", f.key, f.value)
		}
	}
	key, activation := "activation_function", h.activation(arch)
	if arch == GPT1 {
		key = "afn"
	}
	switch {
	case h.Width%h.Heads != 0:
		return fmt.Errorf("n_head is %d, which doesn't divide n_embd %d", h.Heads, h.Width)
	case activation != nil && huggingFaceActivations[*activation] == "":
		return fmt.Errorf("%s is %q: only %s (the tanh form of GELU), %s, %s and %s are computed here", key, *activation, GELUNew, GELU, ReLU, SiLU)
	case h.Inner != nil && *h.Inner < 1:
		return fmt.Errorf("n_inner is %d: expected 1 or more, or null for 4·n_embd", *h.Inner)
	case h.CrossAttention:
		return errors.New("add_cross_attention is true: only decoders without an encoder are computed here")
	case len(h.Pruned) > 0:
		return errors.New("pruned_heads isn't empty: only whole attention is computed here")
	case len(h.Quantization) > 0 && string(h.Quantization) != "null":
		return errors.New("quantization_config is set: only weights in float32, float16 and bfloat16 are read")
	case !(h.LayerNormEpsilon > 0 && h.LayerNormEpsilon < 1):
		return fmt.Errorf("layer_norm_epsilon is %v: expected more than 0 and less than 1", h.LayerNormEpsilon)
	case !(h.ResidualDropout >= 0 && h.ResidualDropout < 1):
		return fmt.Errorf("resid_pdrop is %v: expected 0 or more and less than 1", h.ResidualDropout)
	}
	return nil
}

// jsonError words an error of encoding/json in terms of the file, not of Go types.
func jsonError(err error) error {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return fmt.Errorf("key %q has a %s, expected %s", typ.Field, typ.Value, typ.Type)
	}
	return fmt.Errorf("not a configuration in JSON: %w", err)
}

// HuggingFace returns the config.json from which transformers reads c. endOfText is the id of
// the end-of-text token, which becomes bos_token_id and eos_token_id; less than 0 means none.
// dtype is the type of the weights in the same folder, by PyTorch's name.
func (c Config) HuggingFace(endOfText int32, dtype string) []byte {
	t := huggingFaceTypes[c.Arch]
	h := huggingFace{
		ModelType: t.modelType, Architectures: []string{t.architecture},
		VocabSize: c.VocabSize, Positions: c.Context, Width: c.Width, Layers: c.Layers, Heads: c.Heads,
		LayerNormEpsilon: c.epsilon(), EmbeddingDropout: c.Dropout, AttentionDropout: c.Dropout, ResidualDropout: c.Dropout,
		Tied: !c.UntiedHead, Dtype: dtype,
	}
	activation := string(cmp.Or(c.Activation, GELUNew))
	if c.Arch == GPT2 {
		h.Activation = &activation
		if c.Inner() != 4*c.Width {
			h.Inner = &c.InnerWidth
		}
	} else {
		if c.Activation == "" || c.Activation == GELUNew {
			activation = "gelu" // its name there
		}
		h.AFN = &activation
	}
	if endOfText >= 0 {
		h.BOS, h.EOS = tokenIDs{endOfText}, tokenIDs{endOfText}
	}
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		panic("model: " + err.Error()) // numbers that Validate has checked
	}
	return append(text, '\n')
}
