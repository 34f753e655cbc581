package model

import "tinygpt/model/kernel"

// ActivationBytes estimates the memory that a training graph for batch sequences of context
// tokens holds besides the parameters. (Activations and gradients share memory once they are
// no longer needed: op.Graph.Plan.) It is within a few per cent of the graph's Bytes.
func (c Config) ActivationBytes(batch, context int) int64 {
	rows, d, f := int64(batch)*int64(context), int64(c.Width), int64(c.Inner())
	// What the backward pass reads of a layer, in rows of width d: two LayerNorms, queries,
	// keys and values, the output of attention, two sums, and the f of the feed-forward
	// network before its activation; besides, some numbers for each row.
	perRow := int64(c.Layers) * (8*d + f + 4 + int64(c.Heads))
	perRow += d // the embedding
	if c.Arch == GPT2 {
		perRow += d // the last LayerNorm
	}
	// At the peak there are also the logits, which become their gradient, and the gradient
	// of the hidden states; or the gradients within a layer, if these are larger.
	perRow += max(int64(c.VocabSize)+d, 2*d+f)
	return 4 * rows * perRow
}

// PackedBytes estimates the memory of the operands that matrix products copy in a training
// step. The largest are those for the gradients of a feed-forward network's two weights: rows
// of f and of d for each.
func (c Config) PackedBytes(batch, context int) int64 {
	rows, d, f := int64(batch)*int64(context), int64(c.Width), int64(c.Inner())
	return min(kernel.MaxPackedBytes, 4*2*rows*(f+d))
}

// DecoderBytes is the memory of a decoder with that many sequences that reads rows tokens in
// one call, and is asked for the probabilities of all of them.
func (c Config) DecoderBytes(sequences, rows int) int64 {
	n, d, v := int64(rows), int64(c.Width), int64(c.VocabSize)
	floats := n * (2*int64(c.Layers)*d + 1) // caches
	floats += int64(sequences) * v          // logits
	pass := min(n, passRows)
	floats += pass * (6*d + int64(c.Inner()) + 3)
	floats += min(pass, max(scoreFloats/v, 1)) * v
	return 4 * floats
}
