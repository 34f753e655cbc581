package model

import (
	"fmt"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model/kernel"
)

// A decoder over packed weights computes what a decoder over a model with the unpacked numbers
// computes.
func TestPackedWeights(t *testing.T) {
	packed := map[Precision]kernel.Packing{BFloat16: kernel.BFloat16, Int8: kernel.Int8}
	for _, arch := range []Arch{GPT1, GPT2} {
		for _, untied := range []bool{false, true} {
			for p, packing := range packed {
				c := Config{Arch: arch, Layers: 2, Heads: 3, Width: 27, Context: 40, VocabSize: 70, InitStd: 0.2, UntiedHead: untied}
				m, err := New(c, 1)
				if err != nil {
					t.Fatal(err)
				}
				w, err := m.Weights(p)
				if err != nil {
					t.Fatal(err)
				}
				rounded, err := New(c, 1)
				if err != nil {
					t.Fatal(err)
				}
				round := func(name string, out, in int, trans bool) {
					x := rounded.weights(name)
					y := make([]float32, len(x))
					packing.Pack(x, out, in, trans).Unpack(y, 0, out)
					if !trans {
						copy(x, y)
						return
					}
					for i := range out {
						for j := range in {
							x[j*out+i] = y[i*in+j]
						}
					}
				}
				d := c.Width
				for i := range c.Layers {
					round(block(i)+"attn.c_attn.weight", 3*d, d, true)
					round(block(i)+"attn.c_proj.weight", d, d, true)
					round(block(i)+"mlp.c_fc.weight", 4*d, d, true)
					round(block(i)+"mlp.c_proj.weight", d, 4*d, true)
				}
				reference := rounded.NewDecoder(1)
				if untied {
					round(headName, c.VocabSize, d, false)
				} else {
					// The embedding keeps its numbers, the head doesn't.
					table := make([]float32, c.VocabSize*d)
					packing.Pack(m.head().Value.Float32s(), c.VocabSize, d, false).Unpack(table, 0, c.VocabSize)
					reference.weights.head = table32{table, d, c.VocabSize}
				}
				if got, limit := w.Bytes(), int64(float64(reference.weights.Bytes())*map[Precision]float64{BFloat16: 0.65, Int8: 0.75}[p]); got > limit {
					t.Errorf("%s takes %d bytes, more than %d", p, got, limit) // of short rows, filled up
				}
				got := w.NewDecoder(1)
				tokens := randomTokens(c.Context, c.VocabSize, 9)
				for read, n := range []int{20, 1, 3, 1, 1, 14} { // many rows, and few
					for _, x := range []*Decoder{got, reference} {
						appendTo(t, x, Input{Tokens: tokens[:n]})
					}
					closeTo(t, fmt.Sprintf("%s, %s, untied %v, piece %d", arch, p, untied, read), got.Logits(0), reference.Logits(0))
					tokens = tokens[n:]
				}
			}
		}
	}
	_, err := tiny(t, GPT2).Weights("int4")
	expect.Error(t, err, `weights in "int4": expected one of`)
}
