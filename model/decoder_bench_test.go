package model

import (
	"testing"
	"time"

	"tinygpt/model/kernel"
)

// BenchmarkDecoderStep times a token of GPT-2's smallest shape beside one reading of
// as much memory in one stretch, turn by turn, so that what else the machine does
// falls on both.
func BenchmarkDecoderStep(b *testing.B) {
	m, err := New(Config{Arch: GPT2, Layers: 12, Heads: 12, Width: 768, Context: 1024, VocabSize: 50257}, 1)
	if err != nil {
		b.Fatal(err)
	}
	slab := make([]float32, m.Config.ParameterCount()-int64(m.Config.Context*m.Config.Width)) // of the positions one row is read
	for i := range slab {
		slab[i] = 1 // pages that were never written are one page of zeros
	}
	weights := float64(4 * len(slab))
	d := m.NewDecoder()
	var step, read time.Duration
	for i := 0; b.Loop(); i++ {
		if i%64 == 0 {
			d.Reset()
		}
		start := time.Now()
		if _, err := d.Append(1); err != nil {
			b.Fatal(err)
		}
		step += time.Since(start)
		start = time.Now()
		kernel.Read(slab)
		read += time.Since(start)
	}
	rate := func(t time.Duration) float64 { return weights * float64(b.N) / t.Seconds() / 1e9 }
	b.ReportMetric(float64(b.N)/step.Seconds(), "tokens/s")
	b.ReportMetric(rate(step), "GB/s")
	b.ReportMetric(rate(read), "GB/s-read")
	b.ReportMetric(100*rate(step)/rate(read), "%-of-read")
	b.ReportMetric(0, "ns/op")
}
