package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachInstructionSet runs a test with every instruction set that this machine has.
func eachInstructionSet(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	was := active
	t.Cleanup(func() { active = was })
	for _, isa := range instructionSets {
		t.Run(isa.name, func(t *testing.T) {
			active = isa
			test(t)
		})
	}
}

// lengths are all lengths around the edges of vectors and blocks.
func lengths() []int {
	var ns []int
	for n := range 70 {
		ns = append(ns, n)
	}
	return append(ns, 127, 128, 129, 1000, elementBlock-1, elementBlock+17)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// random returns n normal floats that start offset floats after an aligned address, followed by
// a guard that no kernel may touch.
func random(r *rand.Rand, n, offset int) []float32 {
	x := aligned(n + offset + guard)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range guard {
		x[offset+n+i] = canary
	}
	return x[offset : offset+n]
}

const (
	guard  = 40
	canary = -12345.678
)

// unharmed fails if a kernel wrote beyond the end of a slice made by random.
func unharmed(t *testing.T, xs ...[]float32) {
	t.Helper()
	for _, x := range xs {
		for i, v := range x[len(x) : len(x)+guard] {
			if v != canary {
				t.Fatalf("element %d of a slice of %d was written", len(x)+i, len(x))
			}
		}
	}
}

func clone(x []float32) []float32 {
	y := aligned(len(x) + guard)
	copy(y, x)
	for i := range guard {
		y[len(x)+i] = canary
	}
	return y[:len(x)]
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near fails unless |got − want| ≤ tolerance·(1 + |want|) everywhere.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tolerance*(1+math.Abs(w))) {
			t.Fatalf("%s[%d] = %v, want %v ± %v", what, i, got[i], w, tolerance*(1+math.Abs(w)))
		}
	}
}

// sameBits fails unless call returns the same bits with every number of threads.
func sameBits(t *testing.T, call func() []float32) {
	t.Helper()
	defer SetThreads(0)
	var want []float32
	for _, n := range []int{1, 2, 3, 16} {
		SetThreads(n)
		got := call()
		if want == nil {
			want = got
			continue
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%d threads: element %d is %v, one thread says %v", n, i, got[i], want[i])
			}
		}
	}
}

// panics fails unless f panics with a text that starts with "kernel: ".
func panics(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := fmt.Sprint(recover()); len(r) < 8 || r[:8] != "kernel: " {
			t.Errorf("want a panic of the package, got %q", r)
		}
	}()
	f()
}

func TestShortSlicesPanic(t *testing.T) {
	s := make([]float32, 5)
	l := make([]float32, 6)
	one := AttentionShape{1, 2, 1, 1}
	for name, f := range map[string]func(){
		"Product":           func() { Product{M: 2, N: 2, K: 3, A: s, B: l, C: l}.Compute() },
		"Product, M<0":      func() { Product{M: -1, N: 2, K: 3, A: l, B: l, C: l}.Compute() },
		"Product, Bias":     func() { Product{M: 1, N: 6, K: 1, A: l, B: l, C: l, Bias: s}.Compute() },
		"ColumnSums":        func() { ColumnSums(s, l, 1, 6) },
		"GELU":              func() { TanhGELU.Apply(s, l) },
		"LayerNorm":         func() { LayerNorm(l, l, l, l, s, l, 1, 6, 0) },
		"LayerNormGrad":     func() { LayerNormGrad(l, l, s, l, l, l, l, l, 1, 6, false) },
		"Attention":         func() { Attention(l, l, s, one, Dropout{}) },
		"AttentionGrad":     func() { AttentionGrad(s, l, l, l, one, Dropout{}) },
		"CachedAttention":   func() { CachedAttention(l, l, []CachedRows{{l, s, 3, 1, 1, 0}}, 1, 2) },
		"CachedAttention,3": func() { CachedAttention(l, l, []CachedRows{{l, l, 2, 2, 1, 0}}, 1, 2) },
		"Apply":             func() { Dropout{P: 0.5}.Apply(s, l) },
		"Apply, P = 1":      func() { Dropout{P: 1}.Apply(l, l) },
		"CrossEntropy":      func() { CrossEntropy(nil, s, []int32{0}, 1, 6) },
		"CrossEntropy, 6":   func() { CrossEntropy(nil, l, []int32{6}, 1, 6) },
		"LogProbs":          func() { LogProbs(l, nil, s, []int32{0}, 1, 6) },
		"LogProbs, 6":       func() { LogProbs(l, nil, l, []int32{6}, 1, 6) },
		"LogProbsGrad":      func() { LogProbsGrad(l, l, nil, []int32{-1}, 1, 6) },
		"KL":                func() { KL(l, l, s, 1, 6) },
		"Softmax":           func() { Softmax(s, l, 1, 6) },
		"Embedding":         func() { Embedding(s, l, []int32{0}, 6) },
		"Embedding, 1 of 1": func() { Embedding(l, l, []int32{1}, 6) },
		"Embedding, -1":     func() { Embedding(l, l, []int32{-1}, 6) },
		"EmbeddingPlus":     func() { EmbeddingPlus(s, l, []int32{0}, 6) },
		"EmbeddingGrad":     func() { EmbeddingGrad(s, l, []int32{0}, 6) },
		"EmbeddingAdd":      func() { EmbeddingAdd(l, s, 1, 1, 6) },
		"PositionGrad":      func() { PositionGrad(s, l, 1, 1, 6) },
		"Add":               func() { Add(l, s, l) },
		"AdamW":             func() { AdamW{Step: 1}.Update(Trained{l, l, l, s, 0}) },
		"AdamW, step 0":     func() { AdamW{}.Update(Trained{l, l, l, l, 0}) },
		"SetThreads":        func() { SetThreads(-1) },
	} {
		t.Run(name, func(t *testing.T) { panics(t, f) })
	}
}
