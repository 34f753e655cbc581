package model

import "strings"

// ParameterCounts are the numbers of a model's parameters by what they do, weights and biases.
type ParameterCounts struct {
	Embedding int64 `json:"embedding"` // V·D, the vectors of tokens; the tied head is the same table
	Positions int64 `json:"positions"` // T·D
	Attention int64 `json:"attention"` // L·(4·D² + 4·D): queries, keys, values, and the projection back
	MLP       int64 `json:"mlp"`       // L·(2·D·F + F + D), F = 4·D in GPT-1, 2 and 3
	LayerNorm int64 `json:"layer_norm"`
	Head      int64 `json:"head"` // V·D of an untied head, else 0
}

// Counts counts the parameters of c without allocating them.
func (c Config) Counts() ParameterCounts {
	var n ParameterCounts
	embeddings := namesOf(c.Arch)
	for _, s := range c.parameters() {
		size := int64(s.shape.TotalSize())
		switch {
		case s.name == embeddings.tokens:
			n.Embedding += size
		case s.name == embeddings.positions:
			n.Positions += size
		case s.name == headName:
			n.Head += size
		case strings.Contains(s.name, "attn."):
			n.Attention += size
		case strings.Contains(s.name, "mlp."):
			n.MLP += size
		default:
			n.LayerNorm += size
		}
	}
	return n
}

// Total is the number of all parameters.
func (n ParameterCounts) Total() int64 { return n.NonEmbedding() + n.Embedding + n.Positions + n.Head }

// NonEmbedding is Total without what grows with the vocabulary and the context: the N of
// scaling laws (Kaplan et al. 2020, section 2.1).
func (n ParameterCounts) NonEmbedding() int64 { return n.Attention + n.MLP + n.LayerNorm }

// ParameterCount is V·D + T·D + L·(12·D² + 13·D) if F is 4·D, plus 2·D for GPT-2's last
// LayerNorm, plus V·D for an untied head.
func (c Config) ParameterCount() int64 { return c.Counts().Total() }

// LinearMapsCount is the number of weights in the linear maps of the layers: see LinearMaps.
func (c Config) LinearMapsCount() (n int64) {
	for _, s := range c.parameters() {
		if LinearMaps(s.name) > 0 {
			n += int64(s.shape.TotalSize())
		}
	}
	return n
}

// TrainingFLOP returns the floating-point operations of one training step on batch
// sequences of context tokens: those of the forward pass's matrix products, and twice that
// for the backward pass. Attention counts the lower triangle of its scores once. What a
// method computes again isn't counted.
func (c Config) TrainingFLOP(batch, context int) float64 {
	tokens, d := float64(batch*context), float64(c.Width)
	forward := 2 * tokens * d * ((4*d+2*float64(c.Inner()))*float64(c.Layers) + float64(c.VocabSize))
	forward += 4 * tokens * d * float64(context+1) / 2 * float64(c.Layers)
	return 3 * forward
}
