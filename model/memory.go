package model

// ActivationBytes is the memory that a training graph for batch sequences of
// context tokens holds beside the parameters: every activation, its gradient
// where it has one of its own, and the index inputs.
func (c Config) ActivationBytes(batch, context int) int64 {
	rows, d, v := int64(batch)*int64(context), int64(c.Width), int64(c.VocabSize)
	dropouts := int64(0)
	if c.Dropout > 0 {
		dropouts = 1
	}
	// Rows of width d, values then gradients: two LayerNorms, queries/keys/values,
	// attention, two projections with their dropouts, two residual sums, and the
	// feed-forward network's 4·d twice. A sum's gradient lives in the stream's.
	values := 2 + 3 + 1 + 2 + 2*dropouts + 2 + 8
	grads := 2 + 3 + 1 + 2*dropouts + 8
	floats := int64(c.Layers) * (values + grads) * rows * d
	// Means and deviations of LayerNorms, log-sum-exps of attention.
	floats += int64(c.Layers) * rows * (4 + int64(c.Heads))
	// Embedding and its dropout.
	floats += rows * d * (1 + 2*dropouts)
	if c.Arch == GPT2 {
		floats += rows * (2*d + 2) // last LayerNorm: values and gradient
	}
	floats += rows * d // gradient of the hidden states
	floats += rows * v // logits, which become their gradient
	return 4 * (floats + 2*rows)
}

// ForwardBytes is the memory of a graph that isn't differentiated.
func (c Config) ForwardBytes(batch, context int) int64 {
	rows, d := int64(batch)*int64(context), int64(c.Width)
	floats := int64(c.Layers) * rows * (18*d + 4 + int64(c.Heads))
	floats += rows * d // embedding
	if c.Arch == GPT2 {
		floats += rows * (d + 2) // last LayerNorm
	}
	return 4 * (floats + rows*int64(c.VocabSize) + rows)
}
