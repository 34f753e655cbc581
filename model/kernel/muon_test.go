package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// muon64 is a step of Muon in float64, with Newton and Schulz's iteration as it is usually
// written, by X itself. It changes param and m, of rows × cols.
func muon64(o Muon, param, grad, m []float64, rows, cols int, rate, decay float64) {
	u, norm := make([]float64, rows*cols), 0.0
	for i, g := range grad {
		g *= float64(o.GradScale)
		m[i] = float64(o.Momentum)*m[i] + (1-float64(o.Momentum))*g
		u[i] = float64(o.Momentum)*m[i] + (1-float64(o.Momentum))*g
		norm += u[i] * u[i]
	}
	for i := range u {
		u[i] /= max(math.Sqrt(norm), 1e-7)
	}
	for range 5 {
		u = newtonSchulz64(u, rows, cols)
	}
	for i := range param {
		param[i] = param[i]*(1-rate*decay) - rate*0.2*math.Sqrt(float64(max(rows, cols)))*u[i]
	}
}

// newtonSchulz64 returns aX + b(XXᵀ)X + c(XXᵀ)²X.
func newtonSchulz64(x []float64, rows, cols int) []float64 {
	gram := make([]float64, rows*rows)
	for i := range rows {
		for j := range rows {
			for k := range cols {
				gram[i*rows+j] += x[i*cols+k] * x[j*cols+k]
			}
		}
	}
	times := func(y []float64) []float64 {
		z := make([]float64, rows*cols)
		for i := range rows {
			for k := range rows {
				for j := range cols {
					z[i*cols+j] += gram[i*rows+k] * y[k*cols+j]
				}
			}
		}
		return z
	}
	once := times(x)
	twice := times(once)
	y := make([]float64, len(x))
	for i := range x {
		y[i] = 3.4445*x[i] - 4.7750*once[i] + 2.0315*twice[i]
	}
	return y
}

// columns returns cols columns of x, from column at on.
func columns(x []float32, rows, stride, at, cols int) (y []float64) {
	for i := range rows {
		y = append(y, widen(x[i*stride+at:][:cols])...)
	}
	return y
}

// Three steps of matrices, also of three side by side, whose gradients have singular values
// of about one size, over six orders of magnitude, or only one.
func TestMuon(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, shape := range []struct{ rows, cols, parts int }{
			{1, 1, 1}, {1, 9, 1}, {5, 7, 1}, {7, 5, 1}, {16, 48, 3}, {24, 100, 1}, {100, 24, 1}, {33, 33, 1}, {40, 120, 3}, {70, 70, 1},
		} {
			n := min(shape.rows, shape.cols/shape.parts)
			for name, spectrum := range map[string]func(k int) float64{
				"level": func(k int) float64 { return 1 + float64(k%3) },
				"steep": func(k int) float64 { return math.Pow(10, -6*float64(k)/float64(n)) },
				"one":   func(k int) float64 { return max(0, float64(1-k)) },
			} {
				t.Run(fmt.Sprint(shape, name), func(t *testing.T) { testMuon(t, shape.rows, shape.cols, shape.parts, spectrum) })
			}
		}
	})
}

func testMuon(t *testing.T, rows, cols, parts int, spectrum func(k int) float64) {
	r := newRand(uint64(rows*1000 + cols))
	param, m := random(r, rows*cols, 0), random(r, rows*cols, 1)
	clear(m)
	start, width := clone(param), cols/parts
	wantParam, wantM := make([][]float64, parts), make([][]float64, parts)
	for i := range parts {
		wantParam[i], wantM[i] = columns(param, rows, cols, i*width, width), make([]float64, rows*width)
	}
	o := Muon{Momentum: 0.95, GradScale: 0.5}
	rate, decay := float32(0.02), float32(0.1)
	for range 3 {
		grad := withSpectrum(r, rows, cols, spectrum)
		var list []Matrix
		for i := range parts {
			at := i * width
			list = append(list, Matrix{Param: param[at:], Grad: grad[at:], M: m[at:], Rows: rows, Cols: width, Stride: cols, LR: rate, WeightDecay: decay})
			muon64(o, wantParam[i], columns(grad, rows, cols, at, width), wantM[i], rows, width, float64(rate), float64(decay))
		}
		o.Update(list...)
	}
	for i := range parts {
		got, first, mean := columns(param, rows, cols, i*width, width), columns(start, rows, cols, i*width, width), columns(m, rows, cols, i*width, width)
		off, moved := 0.0, 0.0
		for j, want := range wantParam[i] {
			off += (got[j] - want) * (got[j] - want)
			moved += (want - first[j]) * (want - first[j])
			if math.Abs(mean[j]-wantM[i][j]) > 1e-6 {
				t.Fatalf("momentum %v, want %v", mean[j], wantM[i][j])
			}
		}
		// Singular values that are near 0 grow by up to 3.4445⁵ = 485, and with them the
		// rounding errors of float32.
		if !(math.Sqrt(off/moved) < 5e-3) {
			t.Errorf("part %d: off by %.2g of what it moved", i, math.Sqrt(off/moved))
		}
	}
	unharmed(t, param, m)
}

// withSpectrum returns a matrix whose singular values are about those of spectrum.
func withSpectrum(r *rand.Rand, rows, cols int, spectrum func(k int) float64) []float32 {
	x := random(r, rows*cols, 2)
	clear(x)
	for k := range min(rows, cols) {
		u, v := random(r, rows, 0), random(r, cols, 0)
		s := float32(spectrum(k) / math.Sqrt(float64(rows*cols)))
		for i := range rows {
			for j := range cols {
				x[i*cols+j] += s * u[i] * v[j]
			}
		}
	}
	return x
}

// The iteration changes singular values alone: those of UΣVᵀ, with U and V known, become
// the polynomial of Σ/|Σ|, and U and V stay.
func TestMuonSingularValues(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, shape := range [][2]int{{24, 24}, {24, 60}, {60, 24}} {
			rows, cols := shape[0], shape[1]
			n := min(rows, cols)
			r := newRand(uint64(rows + cols))
			u, v := orthonormal(r, n, rows), orthonormal(r, n, cols)
			norm, sigma := 0.0, make([]float64, n)
			for k := range sigma {
				sigma[k] = math.Pow(0.8, float64(k))
				norm += sigma[k] * sigma[k]
			}
			grad, want := make([]float32, rows*cols), make([]float64, rows*cols)
			for k, s := range sigma {
				x := s / math.Sqrt(norm)
				for range 5 {
					x = 3.4445*x - 4.7750*x*x*x + 2.0315*x*x*x*x*x
				}
				if s > sigma[n/2] && (x < 0.6 || x > 1.25) {
					t.Errorf("singular value %v becomes %v", s/math.Sqrt(norm), x)
				}
				for i := range rows {
					for j := range cols {
						grad[i*cols+j] += float32(s * u[k][i] * v[k][j])
						want[i*cols+j] -= x * u[k][i] * v[k][j] * 0.2 * math.Sqrt(float64(max(rows, cols)))
					}
				}
			}
			param, m := make([]float32, rows*cols), make([]float32, rows*cols)
			Muon{GradScale: 1}.Update(Matrix{Param: param, Grad: grad, M: m, Rows: rows, Cols: cols, Stride: cols, LR: 1})
			near(t, fmt.Sprint(shape), param, want, 2e-4)
		}
	})
}

// orthonormal returns n vectors of length 1 at right angles (Gram and Schmidt).
func orthonormal(r *rand.Rand, n, length int) (list [][]float64) {
	for range n {
		x := widen(random(r, length, 0))
		for range 2 {
			for _, y := range list {
				dot := 0.0
				for i := range x {
					dot += x[i] * y[i]
				}
				for i := range x {
					x[i] -= dot * y[i]
				}
			}
		}
		norm := 0.0
		for _, v := range x {
			norm += v * v
		}
		for i := range x {
			x[i] /= math.Sqrt(norm)
		}
		list = append(list, x)
	}
	return list
}

// A gradient of 0 leaves a matrix to its decay, and a huge or a tiny one is a step like any
// other.
func TestMuonSizes(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, size := range []float32{0, 1e-5, 1, 1e25} {
			param, m := []float32{2, 0, 0, 2}, make([]float32, 4)
			grad := []float32{size, 0, 0, size}
			Muon{GradScale: 1}.Update(Matrix{Param: param, Grad: grad, M: m, Rows: 2, Cols: 2, Stride: 2, LR: 0.5, WeightDecay: 0.5})
			want := 1.5
			if size > 0 {
				x := 1 / math.Sqrt(2)
				for range 5 {
					x = 3.4445*x - 4.7750*x*x*x + 2.0315*x*x*x*x*x
				}
				want -= 0.5 * 0.2 * math.Sqrt(2) * x
			}
			near(t, fmt.Sprint(size), param, []float64{want, 0, 0, want}, 1e-5)
		}
	})
}

// matrices are those of a layer of the given width, like GPT-2's.
func matrices(r *rand.Rand, width int) (list []Matrix) {
	for _, s := range []struct{ rows, cols, parts int }{{width, 3 * width, 3}, {width, width, 1}, {width, 4 * width, 1}, {4 * width, width, 1}} {
		param, grad, m := random(r, s.rows*s.cols, 0), random(r, s.rows*s.cols, 0), random(r, s.rows*s.cols, 0)
		for i := range s.parts {
			at := i * s.cols / s.parts
			list = append(list, Matrix{Param: param[at:], Grad: grad[at:], M: m[at:], Rows: s.rows, Cols: s.cols / s.parts, Stride: s.cols, LR: 1e-3})
		}
	}
	return list
}

func TestMuonSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		sameBits(t, func() (all []float32) {
			list := matrices(newRand(3), 40)
			Muon{Momentum: 0.95, GradScale: 1}.Update(list...)
			for _, m := range list {
				all = append(append(all, m.Param...), m.M...)
			}
			return all
		})
	})
}

func TestMuonAllocatesNothing(t *testing.T) {
	SetThreads(1)
	defer SetThreads(0)
	list := matrices(newRand(3), 40)
	step := func() { Muon{Momentum: 0.95, GradScale: 1}.Update(list...) }
	step()
	if n := testing.AllocsPerRun(10, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What Muon takes of a step of 12 layers × 128.
func BenchmarkMuon(b *testing.B) {
	r := newRand(1)
	var list []Matrix
	for range 12 {
		list = append(list, matrices(r, 128)...)
	}
	for b.Loop() {
		Muon{Momentum: 0.95, GradScale: 1}.Update(list...)
	}
}
