package model

import (
	"fmt"
	"math"
	"slices"
)

// Trace keeps what a decoder computes on the way from T tokens to a prediction, for people to
// look at.
type Trace struct {
	Tokens []int32
	// Streams are the residual stream [T, D] before each block (the first is the sum of the
	// embeddings), and after the last block: Layers+1 in all.
	Streams [][]float32
	// Attention has, for each layer and head, the weights [T, T]: row i are the weights of
	// position i over positions 0 to i, and zeros after those (the causal mask).
	Attention [][][]float32
	// Logits [V] of the token that comes next.
	Logits []float32

	weights *Weights
}

// Trace reads tokens in one pass of a decoder and keeps what it computes.
func (w *Weights) Trace(tokens []int32) (*Trace, error) {
	if most := min(w.config.Context, passRows); len(tokens) > most {
		return nil, fmt.Errorf("model: a trace of %d tokens: expected at most %d", len(tokens), most)
	}
	d := w.NewDecoder(1)
	d.trace = &Trace{Tokens: slices.Clone(tokens), weights: w}
	if err := d.Append([]Input{{Tokens: tokens}}); err != nil {
		return nil, err
	}
	d.trace.Logits = d.Logits(0)
	return d.trace, nil
}

// Config is the configuration of the model.
func (t *Trace) Config() Config { return t.weights.config }

// TokenEmbedding is the vector [D] of the token at a position.
func (t *Trace) TokenEmbedding(position int) []float32 {
	d := t.weights.config.Width
	return t.weights.tokens[int(t.Tokens[position])*d:][:d]
}

// PositionEmbedding is the vector [D] of the position itself.
func (t *Trace) PositionEmbedding(position int) []float32 {
	d := t.weights.config.Width
	return t.weights.positions[position*d:][:d]
}

// Lens returns the logits [T, V] that the output head makes of Streams[i], as if the
// blocks from there on added nothing: the logit lens (nostalgebraist, "interpreting GPT:
// the logit lens", 2020). For the last stream they are the model's logits.
func (t *Trace) Lens(i int) []float32 {
	n := len(t.Tokens)
	hidden := slices.Clone(t.Streams[i])
	logits := make([]float32, n*t.weights.config.VocabSize)
	t.weights.project(logits, hidden, make([]float32, n), make([]float32, n), n)
	return logits
}

// stream keeps the residual stream before a block or after the last one. Like attention, it
// does nothing if t is nil.
func (t *Trace) stream(x []float32) {
	if t != nil {
		t.Streams = append(t.Streams, slices.Clone(x))
	}
}

// attention keeps the weights of the heads, given the rows [T, 3·D] of queries, keys and
// values: softmax(q·kᵀ/√d) over the positions that the causal mask leaves (Vaswani et al.
// 2017, equation 1). The decoder itself never stores them.
func (t *Trace) attention(qkv []float32) {
	if t == nil {
		return
	}
	c, n := t.weights.config, len(t.Tokens)
	d := c.Width / c.Heads
	heads := make([][]float32, c.Heads)
	scores := make([]float64, n)
	for h := range heads {
		heads[h] = make([]float32, n*n)
		for i := range n {
			q := qkv[i*3*c.Width+h*d:][:d]
			largest := math.Inf(-1)
			for j := range i + 1 {
				k := qkv[j*3*c.Width+c.Width+h*d:][:d]
				dot := 0.0
				for f := range d {
					dot += float64(q[f]) * float64(k[f])
				}
				scores[j] = dot / math.Sqrt(float64(d))
				largest = max(largest, scores[j])
			}
			sum := 0.0
			for j := range i + 1 {
				scores[j] = math.Exp(scores[j] - largest)
				sum += scores[j]
			}
			for j := range i + 1 {
				heads[h][i*n+j] = float32(scores[j] / sum)
			}
		}
	}
	t.Attention = append(t.Attention, heads)
}
