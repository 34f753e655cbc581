package model

import (
	"encoding/json"
	"fmt"
)

// ParseHuggingFace reads a config.json of transformers, model types gpt2 and
// openai-gpt. Settings that the arithmetic here doesn't have are refused.
func ParseHuggingFace(text []byte) (Config, error) {
	// GPT-2's defaults, which transformers leaves out of the file at times.
	h := struct {
		ModelType   string  `json:"model_type"`
		VocabSize   int     `json:"vocab_size"`
		Positions   int     `json:"n_positions"`
		Width       int     `json:"n_embd"`
		Layers      int     `json:"n_layer"`
		Heads       int     `json:"n_head"`
		Inner       *int    `json:"n_inner"`
		Epsilon     float32 `json:"layer_norm_epsilon"`
		Activation  string  `json:"activation_function"`
		Activation1 string  `json:"afn"`
		Dropout     float32 `json:"resid_pdrop"`
		Tied        *bool   `json:"tie_word_embeddings"`
		ScaleAttn   *bool   `json:"scale_attn_weights"`
		ScaleLayer  bool    `json:"scale_attn_by_inverse_layer_idx"`
	}{Epsilon: 1e-5}
	if err := json.Unmarshal(text, &h); err != nil {
		return Config{}, fmt.Errorf("not a configuration in JSON: %w", err)
	}
	c := Config{Layers: h.Layers, Heads: h.Heads, Width: h.Width, Context: h.Positions, VocabSize: h.VocabSize, Dropout: h.Dropout, LayerNormEpsilon: h.Epsilon}
	// openai-gpt calls the tanh form "gelu", gpt2 "gelu_new".
	activation, tanh := h.Activation, "gelu_new"
	switch h.ModelType {
	case "gpt2":
		c.Arch = GPT2
	case "openai-gpt":
		c.Arch, activation, tanh = GPT1, h.Activation1, "gelu"
	default:
		return c, fmt.Errorf("model_type is %q: expected gpt2 or openai-gpt", h.ModelType)
	}
	switch {
	case activation != "" && activation != tanh && activation != "gelu_pytorch_tanh":
		return c, fmt.Errorf("the activation is %q: only %s, the tanh form of GELU, is computed here", activation, tanh)
	case h.Inner != nil && *h.Inner != 4*h.Width:
		return c, fmt.Errorf("n_inner is %d: only 4·n_embd = %d is computed here", *h.Inner, 4*h.Width)
	case h.ScaleAttn != nil && !*h.ScaleAttn || h.ScaleLayer:
		return c, fmt.Errorf("attention is scaled otherwise than by 1/√d_head, which isn't computed here")
	}
	c.UntiedHead = h.Tied != nil && !*h.Tied
	return c, c.Validate()
}
