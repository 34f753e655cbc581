package kernel

import (
	"math"
	"testing"
)

func geluRef(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func TestGELU(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			x, dy := random(newRand(uint64(n)), n, n%7), random(newRand(2), n, n%3)
			for i := range x {
				x[i] *= 3
			}
			want, slope := make([]float64, n), make([]float64, n)
			for i, v := range widen(x) {
				const h = 1e-4
				want[i] = geluRef(v)
				slope[i] = float64(dy[i]) * (geluRef(v+h) - geluRef(v-h)) / (2 * h)
			}
			y, dx := random(newRand(3), n, n%2), random(newRand(3), n, n%2)
			GELU(y, x)
			near(t, "gelu", y, want, 3e-7)
			GELUGrad(dx, dy, x)
			near(t, "gelu gradient", dx, slope, 1e-6)
			unharmed(t, y, dx)
			again := clone(x)
			GELU(again, again)
			GELUGrad(dy, dy, x)
			for i := range x {
				if again[i] != y[i] || dy[i] != dx[i] {
					t.Fatalf("in place: element %d of %d is %v and %v, want %v and %v", i, n, again[i], dy[i], y[i], dx[i])
				}
			}
		}
	})
}

func TestGELUExtremes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		x := []float32{-1e10, -100, -20, -0.0, 0, 1e-20, 20, 100, 1e10}
		want := []float64{0, 0, 0, 0, 0, 0.5e-20, 20, 100, 1e10}
		y, dx, one := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		for i := range one {
			one[i] = 1
		}
		GELU(y, x)
		GELUGrad(dx, one, x)
		near(t, "gelu", y, want, 1e-7)
		near(t, "slope", dx, []float64{0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1}, 1e-7)

		nan := []float32{float32(math.NaN())}
		GELU(y, nan)
		GELUGrad(dx, one, nan)
		if y[0] == y[0] || dx[0] == dx[0] {
			t.Errorf("NaN became %v and %v", y[0], dx[0])
		}
	})
}
