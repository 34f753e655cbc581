package model

import (
	"fmt"
	"testing"
	"time"

	"tinygpt/model/kernel"
)

// gpt2 is a model of GPT-2's smallest shape.
func gpt2(b *testing.B) *Model {
	m, err := New(Config{Arch: GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkDecoderStep times one token for each of several sequences, in turn with reading as many
// bytes of memory as the weights take, so that what else the machine does affects both. The
// sequences are 0 to 64 tokens long.
func BenchmarkDecoderStep(b *testing.B) {
	m := gpt2(b)
	for _, p := range Precisions {
		w, err := m.Weights(p)
		if err != nil {
			b.Fatal(err)
		}
		// Of the two embeddings one row is read; the token table is the head as well.
		bytes := w.Bytes()
		slab := make([]float32, bytes/4)
		for i := range slab {
			slab[i] = 1 // pages that were never written are one page of zeros
		}
		for _, batch := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("%s/batch=%d", p, batch), func(b *testing.B) {
				d := w.NewDecoder(batch)
				inputs := make([]Input, batch)
				for i := range inputs {
					inputs[i] = Input{Sequence: i, Tokens: []int32{1}}
				}
				var step, read time.Duration
				for i := 0; b.Loop(); i++ {
					if i%64 == 0 {
						for s := range batch {
							d.Reset(s)
						}
					}
					start := time.Now()
					if err := d.Append(inputs); err != nil {
						b.Fatal(err)
					}
					step += time.Since(start)
					start = time.Now()
					kernel.Read(slab)
					read += time.Since(start)
				}
				b.ReportMetric(float64(batch*b.N)/step.Seconds(), "tokens/s")
				rate := func(t time.Duration) float64 { return float64(bytes) * float64(b.N) / t.Seconds() / 1e9 }
				b.ReportMetric(rate(step), "GB/s")
				b.ReportMetric(rate(read), "GB/s-read")
				b.ReportMetric(100*rate(step)/rate(read), "%-of-read")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkDecoderPrompt times reading 512 tokens, with and without 512 tokens before them, in turn
// with the graph's forward pass over as many.
func BenchmarkDecoderPrompt(b *testing.B) {
	m := gpt2(b)
	const n = 512
	tokens := randomTokens(n, m.Config.VocabSize, 1)
	g := m.NewGraph(1, n, false)
	g.Logits()
	if err := g.Compile(nil); err != nil {
		b.Fatal(err)
	}
	copy(g.Tokens, tokens)
	for _, p := range Precisions {
		w, err := m.Weights(p)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(p), func(b *testing.B) {
			d := w.NewDecoder(1)
			var times [3]time.Duration
			timed := func(i int, f func() error) {
				start := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				times[i] += time.Since(start)
			}
			read := func() error { return d.Append([]Input{{Tokens: tokens}}) }
			for b.Loop() {
				d.Reset(0)
				timed(0, read)
				timed(1, read)
				timed(2, g.Run)
			}
			for i, what := range []string{"first", "second", "graph"} {
				b.ReportMetric(float64(n*b.N)/times[i].Seconds(), what+"-tokens/s")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
