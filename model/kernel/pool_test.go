package kernel

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// everything calls each kernel once, at sizes that need several threads.
func everything() func() {
	const rows, d, heads, T = 96, 48, 3, 32
	r := newRand(9)
	f := func(n int) []float32 { return random(r, n, 0) }
	x, y, z, dy := f(rows*d), f(rows*d), f(rows*d), f(rows*d)
	w, gain, bias, mean, rstd := f(d*d), f(d), f(d), f(rows), f(rows)
	dgain, dbias := f(d), f(d)
	qkv, dqkv, lse := f(rows*3*d), f(rows*3*d), f(rows*heads)
	big, m, v := f(100000), f(100000), f(100000)
	clear(v)
	ids := make([]int32, rows)
	s := AttentionShape{rows / T, T, heads, d / heads}
	cached := []CachedRows{{qkv, dqkv, 3 * rows, 5, 1, 0}, {x, z, rows, rows - 20, 20, 0}}
	drop := Dropout{0.1, 5}
	squared, trained := [][]float32{big, x}, []Trained{{big, m, m, v, 0}}
	return func() {
		product(false, true, rows, d, d, x, w, false, y)
		product(false, false, 1, d, d, x, w, false, y)
		Product{M: rows, N: d, K: d, A: x, B: w, C: y, Bias: bias}.Compute()
		ColumnSums(bias, y, rows, d)
		TanhGELU.Apply(m, big)
		LayerNorm(y, mean, rstd, x, gain, bias, rows, d, 1e-5)
		LayerNormGrad(z, dgain, dbias, dy, x, gain, mean, rstd, rows, d, false)
		Attention(y, lse, qkv, s, drop)
		AttentionGrad(dqkv, dy, lse, qkv, s, drop)
		CachedAttention(dy, big, cached, heads, d/heads)
		drop.Apply(m, big)
		CrossEntropy(nil, x, ids, rows, d)
		CrossEntropyGrad(mean, z, ids, rows, d)
		Softmax(z, x, rows, d)
		Embedding(y, x, ids, d)
		EmbeddingAdd(y, x, rows, T, d)
		EmbeddingGrad(y, x, ids, d)
		PositionGrad(y, x, rows, T, d)
		Add(m, m, big)
		Scale(m, 0.5)
		SumSquares(squared...)
		FirstNonFinite(big)
		AdamW{LR: 1e-3, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, GradScale: 1, Step: 1}.Update(trained...)
	}
}

func TestNoAllocations(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		defer SetThreads(0)
		for _, n := range []int{1, 2, 5} {
			SetThreads(n)
			call := everything()
			call()
			if got := testing.AllocsPerRun(20, call); got > 0 {
				t.Errorf("%d threads: %v allocations", n, got)
			}
		}
	})
}

// Kernels may be called from several goroutines, and each call sees its own result. With -race
// this also checks how the pool hands tasks over.
func TestConcurrentCalls(t *testing.T) {
	defer SetThreads(0)
	SetThreads(4)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			const m, n, k = 40, 200, 30
			r := newRand(uint64(g))
			a, b, c := random(r, m*k, 0), random(r, k*n, 0), random(r, m*n, 0)
			want := productRef(false, false, m, n, k, widen(a), widen(b), nil)
			sum := 0.0
			for _, v := range a {
				sum += float64(v) * float64(v)
			}
			for range 50 {
				clear(c)
				product(false, false, m, n, k, a, b, false, c)
				for i, w := range want {
					if d := float64(c[i]) - w; d > 1e-3 || d < -1e-3 {
						t.Errorf("c[%d] = %v, want %v", i, c[i], w)
						return
					}
				}
				if got := SumSquares(a); got < sum*0.999 || got > sum*1.001 {
					t.Errorf("SumSquares %v, want %v", got, sum)
					return
				}
			}
		})
	}
	group.Wait()
}

// Helpers that find nothing to do go to sleep, and wake up again.
func TestHelpersSleep(t *testing.T) {
	defer SetThreads(0)
	SetThreads(3)
	x := make([]float32, 4*elementBlock)
	for range 3 {
		for i := range x {
			x[i] = 1
		}
		Scale(x, 2)
		for i, v := range x {
			if v != 2 {
				t.Fatalf("x[%d] = %v, want 2", i, v)
			}
		}
		asleep := func() bool {
			for _, h := range workers.helpers {
				if !h.parked.Load() {
					return false
				}
			}
			return true
		}
		for deadline := time.Now().Add(10 * time.Second); !asleep(); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("a helper is still awake after 10 s")
			}
		}
	}
}

func TestThreads(t *testing.T) {
	defer SetThreads(0)
	if got := Threads(); got != runtime.GOMAXPROCS(0) {
		t.Errorf("Threads() = %d at start, want GOMAXPROCS %d", got, runtime.GOMAXPROCS(0))
	}
	SetThreads(7)
	if got := Threads(); got != 7 {
		t.Errorf("Threads() = %d after SetThreads(7)", got)
	}
}
