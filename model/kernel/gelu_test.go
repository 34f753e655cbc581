package kernel

import (
	"math"
	"slices"
	"testing"
)

func geluRef(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func TestGELU(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, n := range lengths() {
			x := random(newRand(uint64(n)), n, n%7)
			for i := range x {
				x[i] *= 3
			}
			want, slope := make([]float64, n), make([]float64, n)
			for i, v := range widen(x) {
				const h = 1e-4
				want[i] = geluRef(v)
				slope[i] = (geluRef(v+h) - geluRef(v-h)) / (2 * h)
			}
			y, both, got := random(newRand(3), n, n%2), random(newRand(3), n, n%3), random(newRand(3), n, n%2)
			GELU(y, x)
			near(t, "gelu", y, want, 3e-7)
			GELUSlope(both, got, x)
			near(t, "gelu's slope", got, slope, 1e-6)
			unharmed(t, y, both, got)
			alone, inY, inSlope, y2, slope2 := clone(x), clone(x), clone(x), clone(x), clone(x)
			GELU(alone, alone)
			GELUSlope(inY, slope2, inY)
			GELUSlope(y2, inSlope, inSlope)
			for _, pair := range [][2][]float32{{both, y}, {alone, y}, {inY, y}, {y2, y}, {slope2, got}, {inSlope, got}} {
				if !slices.Equal(pair[0], pair[1]) {
					t.Fatalf("%d elements: %v in place, want %v", n, pair[0], pair[1])
				}
			}
		}
	})
}

func TestGELUExtremes(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		x := []float32{-1e10, -100, -20, -0.0, 0, 1e-20, 20, 100, 1e10}
		want := []float64{0, 0, 0, 0, 0, 0.5e-20, 20, 100, 1e10}
		y, again, slope := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		GELU(y, x)
		GELUSlope(again, slope, x)
		near(t, "gelu", y, want, 1e-7)
		near(t, "gelu with its slope", again, want, 1e-7)
		near(t, "slope", slope, []float64{0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1}, 1e-7)

		nan := []float32{float32(math.NaN())}
		GELU(y, nan)
		GELUSlope(again, slope, nan)
		if y[0] == y[0] || again[0] == again[0] || slope[0] == slope[0] {
			t.Errorf("NaN became %v, and %v with slope %v", y[0], again[0], slope[0])
		}
	})
}
