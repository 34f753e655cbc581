package model

import (
	"fmt"

	"tinygpt/model/kernel"
)

// Precision is how a decoder holds the matrices of a model.
type Precision string

const (
	// Float32 is the model's own memory.
	Float32 Precision = "float32"
	// BFloat16 has half of it; see kernel.BFloat16.
	BFloat16 Precision = "bfloat16"
	// Int8 has about a quarter; see kernel.Int8.
	Int8 Precision = "int8"
)

// Precisions are all precisions.
var Precisions = []Precision{Float32, BFloat16, Int8}

// packings are the formats of matrices that aren't float32.
var packings = map[Precision]kernel.Packing{BFloat16: kernel.BFloat16, Int8: kernel.Int8}

// Weights are a model's weights as decoders read them. Any number of decoders may share them.
type Weights struct {
	config            Config
	tokens, positions []float32 // tables of the embeddings
	layers            []layerWeights
	last              affine // GPT-2's final LayerNorm
	head              matrix
}

// affine is a gain and a bias.
type affine struct{ gain, bias []float32 }

type layerWeights struct {
	norm1, norm2              affine
	qkv, attnOut, hidden, out matrix
}

// matrix is a linear map from rows of in to rows of out numbers.
type matrix interface {
	// apply computes y[rows,out] from x[rows,in].
	apply(y, x []float32, rows int)
	// bytes is how many bytes apply reads of it.
	bytes() int64
}

// Weights returns the model's weights, with the matrices of its linear maps and of the
// output head in a precision. Embeddings, gains and biases stay the model's own memory.
func (m *Model) Weights(p Precision) (*Weights, error) {
	packing, packed := packings[p]
	if !packed && p != Float32 {
		return nil, fmt.Errorf("weights in %q: expected one of %q", p, Precisions)
	}
	c := m.Config
	names := namesOf(c.Arch)
	w := &Weights{config: c, tokens: m.weights(names.tokens), positions: m.weights(names.positions)}
	norm := func(name string) affine { return affine{m.weights(name + ".weight"), m.weights(name + ".bias")} }
	linear := func(name string, in, out int) matrix {
		weight, bias := m.weights(name+".weight"), m.weights(name+".bias")
		if packed {
			return packedMatrix{packing.Pack(weight, out, in, true), bias}
		}
		return linear32{weight, bias, in, out}
	}
	d := c.Width
	for i := range c.Layers {
		b := block(i)
		w.layers = append(w.layers, layerWeights{
			norm1: norm(b + "ln_1"), qkv: linear(b+"attn.c_attn", d, 3*d), attnOut: linear(b+"attn.c_proj", d, d),
			norm2: norm(b + "ln_2"), hidden: linear(b+"mlp.c_fc", d, c.Inner()), out: linear(b+"mlp.c_proj", c.Inner(), d),
		})
	}
	if c.Arch == GPT2 {
		w.last = norm("ln_f")
	}
	table := m.head().Value.Float32s()
	if packed {
		w.head = packedMatrix{packing.Pack(table, c.VocabSize, d, false), nil}
	} else {
		w.head = table32{table, d, c.VocabSize}
	}
	return w, nil
}

// Config is the configuration of the model.
func (w *Weights) Config() Config { return w.config }

// Bytes is how many bytes a decoder reads to add one token to every sequence. Of the
// embeddings, it reads a few rows, which aren't counted.
func (w *Weights) Bytes() int64 {
	sum := w.head.bytes() + 4*int64(len(w.last.gain)+len(w.last.bias))
	for _, l := range w.layers {
		for _, a := range []affine{l.norm1, l.norm2} {
			sum += 4 * int64(len(a.gain)+len(a.bias))
		}
		for _, m := range []matrix{l.qkv, l.attnOut, l.hidden, l.out} {
			sum += m.bytes()
		}
	}
	return sum
}

// linear32 is a Linear layer, weight [in,out].
type linear32 struct {
	weight, bias []float32
	in, out      int
}

func (m linear32) apply(y, x []float32, rows int) {
	kernel.Product{M: rows, N: m.out, K: m.in, A: x, B: m.weight, C: y, Bias: m.bias}.ComputeByRow()
}

func (m linear32) bytes() int64 { return 4 * int64(len(m.weight)+len(m.bias)) }

// table32 is an output head, a table [out,in].
type table32 struct {
	table   []float32
	in, out int
}

func (m table32) apply(y, x []float32, rows int) {
	kernel.Product{TransB: true, M: rows, N: m.out, K: m.in, A: x, B: m.table, C: y}.ComputeByRow()
}

func (m table32) bytes() int64 { return 4 * int64(len(m.table)) }

// packedMatrix is a Linear layer or an output head in fewer bits.
type packedMatrix struct {
	weight *kernel.Packed
	bias   []float32 // nil in a head
}

func (m packedMatrix) apply(y, x []float32, rows int) { m.weight.Linear(y, x, m.bias, rows) }

func (m packedMatrix) bytes() int64 { return m.weight.Bytes() + 4*int64(len(m.bias)) }
