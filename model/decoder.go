package model

import (
	"fmt"

	"tinygpt/model/kernel"
)

// Decoder computes next-token logits for one growing sequence, without the
// graph: keys and values of what was read stay cached, so a token costs one row
// of work. Past the model's context the window is the last Context tokens, each
// at its new position, which means reading the whole window again.
type Decoder struct {
	model  *Model
	tokens []int32 // the window
	cached int     // how many of them the cache holds
	// keys and values of layer i: [Context, D].
	keys, values [][]float32
	logits       []float32 // [V]
	rows         rows

	tokenTable, positionTable, head []float32
	layers                          []layerWeights
	last                            affine // GPT-2's final LayerNorm
}

// affine is the weight or gain, and the bias, of a Linear or LayerNorm.
type affine struct{ weight, bias []float32 }

type layerWeights struct{ norm1, qkv, attnOut, norm2, hidden, out affine }

// rows is the decoder's working memory for a block of up to Context rows.
type rows struct {
	x, y, qkv, attended, hidden, mean, rstd, lse []float32
}

// NewDecoder returns a decoder with an empty sequence.
func (m *Model) NewDecoder() *Decoder {
	c := m.Config
	names := namesOf(c.Arch)
	d := &Decoder{
		model: m, logits: make([]float32, c.VocabSize),
		tokenTable: m.weights(names.tokens), positionTable: m.weights(names.positions), head: m.head().Value.Float32s(),
	}
	of := func(name string) affine { return affine{m.weights(name + ".weight"), m.weights(name + ".bias")} }
	if c.Arch == GPT2 {
		d.last = of("ln_f")
	}
	for i := range c.Layers {
		b := block(i)
		d.layers = append(d.layers, layerWeights{
			of(b + "ln_1"), of(b + "attn.c_attn"), of(b + "attn.c_proj"),
			of(b + "ln_2"), of(b + "mlp.c_fc"), of(b + "mlp.c_proj"),
		})
		d.keys = append(d.keys, make([]float32, c.Context*c.Width))
		d.values = append(d.values, make([]float32, c.Context*c.Width))
	}
	return d
}

// Reset empties the sequence.
func (d *Decoder) Reset() { d.tokens, d.cached = d.tokens[:0], 0 }

// Append adds tokens to the sequence and returns the logits [V] of the token
// that comes next. They are the decoder's memory until the next call.
func (d *Decoder) Append(tokens ...int32) ([]float32, error) {
	c := d.model.Config
	if len(tokens) == 0 {
		return nil, fmt.Errorf("model: no tokens to append")
	}
	for _, t := range tokens {
		if int(t) < 0 || int(t) >= c.VocabSize {
			return nil, fmt.Errorf("model: token %d is outside the vocabulary of %d", t, c.VocabSize)
		}
	}
	d.tokens = append(d.tokens, tokens...)
	if over := len(d.tokens) - c.Context; over > 0 {
		d.tokens = append(d.tokens[:0], d.tokens[over:]...)
		d.cached = 0
	}
	if d.cached == 0 {
		d.forward(d.tokens)
	} else {
		for d.cached < len(d.tokens) {
			d.forward(d.tokens[d.cached : d.cached+1])
		}
	}
	return d.logits, nil
}

// forward reads tokens, which follow what is cached: any number if the cache is
// empty, otherwise one. It computes the logits after the last of them.
func (d *Decoder) forward(tokens []int32) {
	c, n := d.model.Config, len(tokens)
	r := d.rows.of(n, c)
	kernel.Embedding(r.x, d.tokenTable, tokens, c.Width)
	kernel.EmbeddingAdd(r.x, d.positionTable[d.cached*c.Width:], n, n, c.Width)
	for i, w := range d.layers {
		if c.Arch == GPT2 {
			d.layerNorm(r.y, r.x, w.norm1, r)
			d.attention(r.y, r.y, i, r)
			kernel.Add(r.x, r.x, r.y)
			d.layerNorm(r.y, r.x, w.norm2, r)
			d.feedForward(r.y, r.y, w, r)
			kernel.Add(r.x, r.x, r.y)
			continue
		}
		d.attention(r.y, r.x, i, r)
		kernel.Add(r.x, r.x, r.y)
		d.layerNorm(r.x, r.x, w.norm1, r)
		d.feedForward(r.y, r.x, w, r)
		kernel.Add(r.x, r.x, r.y)
		d.layerNorm(r.x, r.x, w.norm2, r)
	}
	if c.Arch == GPT2 {
		d.layerNorm(r.x, r.x, d.last, r)
	}
	kernel.Gemm(false, true, 1, c.VocabSize, c.Width, 1, r.x[(n-1)*c.Width:], d.head, false, d.logits)
	d.cached += n
}

// of returns the working memory cut to n rows, grown if need be.
func (r *rows) of(n int, c Config) rows {
	cut := func(s *[]float32, size int) []float32 {
		if cap(*s) < size {
			*s = make([]float32, size)
		}
		return (*s)[:size]
	}
	d := c.Width
	return rows{
		cut(&r.x, n*d), cut(&r.y, n*d), cut(&r.qkv, n*3*d), cut(&r.attended, n*d), cut(&r.hidden, n*4*d),
		cut(&r.mean, n), cut(&r.rstd, n), cut(&r.lse, n*c.Heads),
	}
}

func (d *Decoder) layerNorm(y, x []float32, w affine, r rows) {
	kernel.LayerNorm(y, r.mean, r.rstd, x, w.weight, w.bias, len(r.mean), d.model.Config.Width, d.model.Config.epsilon())
}

func linear(y, x []float32, w affine, n int) {
	kernel.Linear(y, x, w.weight, w.bias, n, len(x)/n, len(y)/n)
}

// attention writes attention's output for the rows of x to y, and their keys and
// values to the cache.
func (d *Decoder) attention(y, x []float32, layer int, r rows) {
	c, n := d.model.Config, len(r.mean)
	linear(r.qkv, x, d.layers[layer].qkv, n)
	keys, values := d.keys[layer], d.values[layer]
	for i := range n {
		row := r.qkv[i*3*c.Width:]
		at := (d.cached + i) * c.Width
		copy(keys[at:at+c.Width], row[c.Width:])
		copy(values[at:at+c.Width], row[2*c.Width:])
	}
	headDim := c.Width / c.Heads
	if d.cached == 0 {
		kernel.Attention(r.attended, r.lse, r.qkv, kernel.AttentionShape{Batch: 1, Context: n, Heads: c.Heads, HeadDim: headDim}, kernel.Dropout{})
	} else {
		kernel.AttentionStep(r.attended, r.qkv[:c.Width], keys, values, d.cached+1, c.Heads, headDim)
	}
	linear(y, r.attended, d.layers[layer].attnOut, n)
}

func (d *Decoder) feedForward(y, x []float32, w layerWeights, r rows) {
	n := len(r.mean)
	linear(r.hidden, x, w.hidden, n)
	kernel.GELU(r.hidden, r.hidden)
	linear(y, r.hidden, w.out, n)
}
