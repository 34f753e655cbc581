package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// Everything that a product does besides multiplying, for few rows and many, with one block of k
// and several.
func TestProduct(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, size := range [][3]int{{1, 5, 9}, {3, 40, 16}, {16, 33, 50}, {17, 1, 20}, {40, 130, 30}, {130, 50, 33}, {30, 47, active.depth + 3}} {
			m, n, k := size[0], size[1], size[2]
			r := newRand(uint64(m + n + k))
			a, b, bias, add := random(r, m*k, 1), random(r, k*n, 2), random(r, n, 3), random(r, m*n, 1)
			for with := range 64 {
				reference, activation := geluRef, Activation(with>>4)
				switch activation {
				case ExactGELU:
					reference = func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }
				case ReLU:
					reference = func(x float64) float64 { return max(x, 0) }
				case SiLU:
					reference = func(x float64) float64 { return x / (1 + math.Exp(-x)) }
				}
				p := Product{Activation: activation, M: m, N: n, K: k, TransB: with&1 > 0, A: a, B: b, C: random(r, m*n, 1)}
				want := productRef(false, p.TransB, m, n, k, widen(a), widen(b), nil)
				if with&2 > 0 {
					p.Bias = bias
				}
				sums := widen(bias)
				if with&4 > 0 {
					p.Add = add
					p.ColumnSums = clone(bias)
					for i, v := range widen(b) {
						column := i % n
						if p.TransB {
							column = i / k
						}
						sums[column] += v
					}
				}
				for i := range want {
					if p.Bias != nil {
						want[i] += float64(bias[i%n])
					}
					if p.Add != nil {
						want[i] += float64(add[i])
					}
				}
				activated := make([]float64, m*n)
				if with&8 > 0 {
					p.Activated = random(r, m*n, 3)
					for i, x := range want {
						activated[i] = reference(x)
					}
				} else {
					p.ActivationInput = random(r, m*n, 2)
					for i, z := range widen(p.ActivationInput) {
						const h = 1e-6
						activated[i] = reference(z)
						want[i] *= (reference(z+h) - reference(z-h)) / (2 * h)
					}
				}
				p.Compute()
				what := fmt.Sprintf("%d×%d×%d, case %d: ", m, n, k, with)
				tolerance := 4e-6 * float64(1+k/16)
				near(t, what+"c", p.C, want, tolerance)
				unharmed(t, p.C)
				if p.ColumnSums != nil {
					near(t, what+"column sums", p.ColumnSums, sums, tolerance)
					unharmed(t, p.ColumnSums)
				}
				gelu := p.Activated
				if gelu == nil {
					gelu = p.ActivationInput
				}
				near(t, what+"gelu", gelu, activated, tolerance)
				unharmed(t, gelu)
			}
		}
	})
}

// Products that are computed together have the bits that they have by themselves, for any number
// of them, of blocks and of threads.
func TestComputeTogether(t *testing.T) {
	products := func() (ps []Product) {
		r := newRand(5)
		for i, size := range [][3]int{{1600, 40, 300}, {3, 70, 20}, {0, 9, 9}, {50, 60, 1100}, {128, 97, 64}, {17, 33, 0}, {40, 600, 30}} {
			m, n, k := size[0], size[1], size[2]
			p := Product{TransA: i%2 > 0, TransB: i%3 > 0, M: m, N: n, K: k, A: random(r, m*k, 0), B: random(r, k*n, 0), C: random(r, m*n, i)}
			if i%2 > 0 {
				p.Bias, p.ColumnSums, p.Add = random(r, n, 0), random(r, n, 1), p.C
			}
			ps = append(ps, p)
		}
		return append(ps, Product{})
	}
	eachInstructionSet(t, func(t *testing.T) {
		alone := products()
		for _, p := range alone {
			p.Compute()
		}
		sameBits(t, func() (results []float32) {
			together := products()
			Compute(together...)
			for i, p := range together {
				if !slices.Equal(p.C, alone[i].C) || !slices.Equal(p.ColumnSums, alone[i].ColumnSums) {
					t.Errorf("product %d of several is another than by itself", i)
				}
				if p.C != nil {
					unharmed(t, p.C)
				}
				results = append(results, p.C...)
			}
			return results
		})
	})
}
