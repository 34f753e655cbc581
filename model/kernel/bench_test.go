package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkKernels times every kernel except products, at the sizes of a training step of a small
// model (rows 768, width 128, 4 heads) and of GPT-2 (256, 768, 12), with sequences of 64.
func BenchmarkKernels(b *testing.B) {
	defer func(was *instructionSet) { active = was; SetThreads(0) }(active)
	for _, c := range []struct{ rows, d, heads, vocab int }{{768, 128, 4, 65}, {256, 768, 12, 50257}} {
		const T = 64
		rows, d := c.rows, c.d
		r := newRand(1)
		f := func(n int) []float32 { return random(r, n, 0) }
		x, y, dy, dx := f(rows*d), f(rows*d), f(rows*d), f(rows*d)
		wide, wider, widest := f(rows*4*d), f(rows*4*d), f(rows*4*d)
		gain, bias, mean, rstd := f(d), f(d), f(rows), f(rows)
		dgain, dbias := f(d), f(d)
		qkv, dqkv, lse := f(rows*3*d), f(rows*3*d), f(rows*c.heads)
		logits, targets, ids := f(rows*c.vocab), make([]int32, rows), make([]int32, rows)
		table := f(c.vocab * d)
		for i := range ids {
			targets[i], ids[i] = int32(r.IntN(c.vocab)), int32(r.IntN(c.vocab))
		}
		n := 12 * d * d
		param, grad, m, v := f(n), f(n), make([]float32, n), make([]float32, n)
		s := AttentionShape{rows / T, T, c.heads, d / c.heads}
		step, prompt := []CachedRows{{x, dx, rows, T - 1, 1, 0}}, []CachedRows{{x, dx, rows, 0, rows, 0}}
		o := AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, GradScale: 1, Step: 10}
		kernels := []struct {
			name string
			call func()
		}{
			{"GELU-4d", func() { TanhGELU.Apply(wider, wide) }},
			{"LayerNorm", func() { LayerNorm(y, mean, rstd, x, gain, bias, rows, d, 1e-5) }},
			{"LayerNormGrad", func() { LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd, rows, d, true) }},
			{"Attention", func() { Attention(y, lse, qkv, s, Dropout{}) }},
			{"Attention-dropout", func() { Attention(y, lse, qkv, s, Dropout{0.1, 1}) }},
			{"AttentionGrad", func() { AttentionGrad(dqkv, dy, lse, qkv, s, Dropout{}) }},
			{"CachedAttention-step-64", func() { CachedAttention(y, qkv, step, c.heads, d/c.heads) }},
			{"CachedAttention-block", func() { CachedAttention(y, qkv, prompt, c.heads, d/c.heads) }},
			{"Dropout", func() { Dropout{0.1, 1}.Apply(y, x) }},
			{"CrossEntropy", func() { CrossEntropy(nil, logits, targets, rows, c.vocab) }},
			{"CrossEntropyGrad", func() { CrossEntropyGrad(nil, logits, targets, rows, c.vocab) }},
			{"Embedding", func() { Embedding(y, table, ids, d) }},
			{"EmbeddingGrad", func() { EmbeddingGrad(table, dy, ids, d) }},
			{"ColumnSums-4d", func() { ColumnSums(widest, wide, rows, 4*d) }},
			{"Add", func() { Add(y, x, dy) }},
			{"SumSquares-12dd", func() { SumSquares(grad) }},
			{"FirstNonFinite-12dd", func() { FirstNonFinite(grad) }},
			{"AdamW-12dd", func() { o.Update(Trained{param, grad, m, v, 0.1}) }},
		}
		for _, isa := range instructionSets {
			for _, threads := range []int{1, 2} {
				for _, k := range kernels {
					b.Run(fmt.Sprintf("%dx%d/%s/threads=%d/%s", rows, d, isa.name, threads, k.name), func(b *testing.B) {
						active = isa
						SetThreads(threads)
						for b.Loop() {
							k.call()
						}
						b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}
