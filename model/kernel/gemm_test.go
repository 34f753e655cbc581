package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// product computes c = op(a)·op(b), or adds it to c.
func product(transA, transB bool, m, n, k int, a, b []float32, accumulate bool, c []float32) {
	p := Product{TransA: transA, TransB: transB, M: m, N: n, K: k, A: a, B: b, C: c}
	if accumulate {
		p.Add = c
	}
	p.Compute()
}

// productRef is product in float64, one multiplication at a time.
func productRef(transA, transB bool, m, n, k int, a, b, c []float64) []float64 {
	y := make([]float64, m*n)
	for i := range m {
		for j := range n {
			sum := 0.0
			for s := range k {
				ai, bi := i*k+s, s*n+j
				if transA {
					ai = s*m + i
				}
				if transB {
					bi = j*k + s
				}
				sum += a[ai] * b[bi]
			}
			y[i*n+j] = sum
			if c != nil {
				y[i*n+j] += c[i*n+j]
			}
		}
	}
	return y
}

func checkGemmCase(t *testing.T, m, n, k, offset int) {
	t.Helper()
	r := newRand(uint64(m*1000000 + n*1000 + k))
	a, b := random(r, m*k, offset), random(r, k*n, offset)
	for i := range 8 {
		transA, transB, accumulate := i&1 > 0, i&2 > 0, i&4 > 0
		c := random(r, m*n, offset)
		var c0 []float64
		if accumulate {
			c0 = widen(c)
		}
		product(transA, transB, m, n, k, a, b, accumulate, c)
		what := fmt.Sprintf("%d×%d×%d transA %v transB %v accumulate %v: c", m, n, k, transA, transB, accumulate)
		near(t, what, c, productRef(transA, transB, m, n, k, widen(a), widen(b), c0), 2e-6*float64(1+k/16))
		unharmed(t, c)
	}
}

func TestGemm(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for m := range 32 {
			for _, n := range []int{0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 48, 49, 70} {
				for _, k := range []int{0, 1, 3, 18} {
					checkGemmCase(t, m, n, k, (m+n)%3)
				}
			}
		}
		for _, s := range [][3]int{{1, 1100, 700}, {3, 130, 1030}, {37, 129, 530}, {200, 97, 64}, {5, 64, 1100}, {1300, 20, 400}, {9, 33, 1024}, {1024, 20, 40}, {300, 290, 530}, {100, 110, 1400}} {
			checkGemmCase(t, s[0], s[1], s[2], 1)
		}
	})
}

func TestLinear(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 5, 3}, {4, 64, 100}, {7, 530, 65}, {65, 16, 48}} {
			rows, in, out := s[0], s[1], s[2]
			r := newRand(3)
			x, w, bias, y := random(r, rows*in, 0), random(r, in*out, 0), random(r, out, 0), random(r, rows*out, 0)
			want := productRef(false, false, rows, out, in, widen(x), widen(w), nil)
			product(false, false, rows, out, in, x, w, false, y)
			near(t, "without bias", y, want, 2e-5)
			for i := range want {
				want[i] += float64(bias[i%out])
			}
			Product{M: rows, N: out, K: in, A: x, B: w, C: y, Bias: bias}.Compute()
			near(t, "with bias", y, want, 2e-5)
			unharmed(t, y)

			sum := clone(bias)
			ColumnSums(sum, y, rows, out)
			sums := widen(bias)
			for i, v := range y {
				sums[i%out] += float64(v)
			}
			near(t, "column sum", sum, sums, 1e-5)
			unharmed(t, sum)
		}
	})
}

func TestGemmSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range [][3]int{{3, 2100, 70}, {130, 300, 1100}, {500, 130, 80}} {
			m, n, k := s[0], s[1], s[2]
			r := newRand(4)
			a, b := random(r, m*k, 0), random(r, k*n, 0)
			for i := range 4 {
				sameBits(t, func() []float32 {
					c := make([]float32, m*n)
					product(i&1 > 0, i&2 > 0, m, n, k, a, b, false, c)
					return c
				})
			}
		}
	})
}

// A row of ComputeByRow has the same bits whatever other rows come with it, so that a
// text depends neither on those that are drawn together with it nor on how its prompt is
// cut. The columns and steps are in one block or in several.
func TestComputeByRow(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range [][2]int{{1100, 70}, {530, 133}, {33, 9}, {60, 1601}, {5, 0}, {1, 1}} {
			n, k := s[0], s[1]
			const most = 2*nearRows + 7
			r := newRand(5)
			a, b, bias, add := random(r, most*k, 0), random(r, k*n, 0), random(r, n, 1), random(r, most*n, 2)
			for _, transB := range []bool{false, true} {
				rowOf := func(first, rows int) []float32 {
					c := random(r, rows*n, 0)
					Product{TransB: transB, M: rows, N: n, K: k, A: a[first*k:], B: b, C: c, Bias: bias, Add: add[first*n:]}.ComputeByRow()
					unharmed(t, c)
					return c
				}
				want := productRef(false, transB, most, n, k, widen(a), widen(b), widen(add))
				for i := range want {
					want[i] += float64(bias[i%n])
				}
				alone := make([]float32, 0, most*n)
				for i := range most {
					alone = append(alone, rowOf(i, 1)...)
				}
				near(t, fmt.Sprintf("%d columns, %d steps, transB %v", n, k, transB), alone, want, 3e-6*float64(1+k/16))
				for _, m := range []int{2, 3, 5, 8, fewRows, fewRows + 1, nearRows + 1, most} {
					first := (most - m) / 2
					if !slices.Equal(rowOf(first, m), alone[first*n:(first+m)*n]) {
						t.Fatalf("%d columns, %d steps, transB %v: %d rows differ from what they are alone", n, k, transB, m)
					}
				}
			}
		}
	})
	panics(t, func() { Product{ColumnSums: []float32{}}.ComputeByRow() })
}

// A product so large that Compute would visit a tile of C less often.
func TestComputeByRowOfLargeProduct(t *testing.T) {
	const k, n = 800, 4000
	const m = farFloats/n + 1
	r := newRand(6)
	row, b := random(r, k, 0), random(r, k*n, 0)
	a, c, alone := make([]float32, m*k), make([]float32, m*n), make([]float32, n)
	copy(a[(m-1)*k:], row)
	Product{M: m, N: n, K: k, A: a, B: b, C: c}.ComputeByRow()
	Product{M: 1, N: n, K: k, A: row, B: b, C: alone}.ComputeByRow()
	if !slices.Equal(alone, c[(m-1)*n:]) {
		t.Error("the last row differs from what it is alone")
	}
}

// The shapes are m×n×k of a forward pass and of the two backward products.
func BenchmarkGemm(b *testing.B) {
	type shape struct {
		m, n, k        int
		transA, transB bool
	}
	gpt2 := []shape{
		{256, 2304, 768, false, false}, {256, 768, 2304, false, true}, {768, 2304, 256, true, false},
		{256, 768, 768, false, false}, {256, 3072, 768, false, false}, {256, 768, 3072, false, false},
		{3072, 768, 256, true, false}, {256, 50257, 768, false, true}, {256, 768, 50257, false, false},
		{50257, 768, 256, true, false},
	}
	small := []shape{
		{768, 384, 128, false, false}, {768, 128, 128, false, false}, {768, 512, 128, false, false},
		{768, 128, 512, false, false}, {768, 128, 384, false, true}, {128, 512, 768, true, false},
		{512, 128, 768, true, false}, {128, 128, 768, true, false},
	}
	decode := []shape{{1, 2304, 768, false, false}, {1, 768, 3072, false, false}, {1, 50257, 768, false, true}, {4, 3072, 768, false, false}}
	defer func(was *instructionSet) { active = was; SetThreads(0) }(active)
	for _, isa := range instructionSets {
		for _, threads := range []int{1, 2} {
			for _, s := range append(append(gpt2, small...), decode...) {
				name := fmt.Sprintf("%s/threads=%d/%dx%dx%d", isa.name, threads, s.m, s.n, s.k)
				if s.transA {
					name += "-AT"
				}
				if s.transB {
					name += "-BT"
				}
				b.Run(name, func(b *testing.B) {
					active = isa
					SetThreads(threads)
					r := newRand(1)
					x, y, c := random(r, s.m*s.k, 0), random(r, s.k*s.n, 0), random(r, s.m*s.n, 0)
					for b.Loop() {
						product(s.transA, s.transB, s.m, s.n, s.k, x, y, false, c)
					}
					flop := 2 * float64(s.m) * float64(s.n) * float64(s.k) * float64(b.N)
					b.ReportMetric(flop/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
