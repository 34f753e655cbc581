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
	eachInstructionSet(t, func(t *testing.T) {
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
			y, dy := random(newRand(3), n, n%2), random(newRand(4), n, n%3)
			for i := range slope {
				slope[i] *= float64(dy[i])
			}
			TanhGELU.Apply(y, x)
			near(t, "gelu", y, want, 3e-7)
			alone, again := clone(x), clone(x)
			TanhGELU.Apply(alone, alone)
			active.geluGrad(dy, again, 1, n, n)
			near(t, "gelu's gradient", dy, slope, 1e-6)
			unharmed(t, y, dy, alone, again)
			if !slices.Equal(alone, y) || !slices.Equal(again, y) {
				t.Fatalf("%d elements: %v in place, %v with the gradient, want %v", n, alone, again, y)
			}
		}
	})
}

func TestGELUExtremes(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		x := []float32{-1e10, -100, -20, float32(math.Copysign(0, -1)), 0, 1e-20, 20, 100, 1e10}
		want := []float64{0, 0, 0, 0, 0, 0.5e-20, 20, 100, 1e10}
		y, slope := make([]float32, len(x)), []float32{1, 1, 1, 1, 1, 1, 1, 1, 1}
		TanhGELU.Apply(y, x)
		active.geluGrad(slope, x, 1, len(x), len(x))
		near(t, "gelu", y, want, 1e-7)
		near(t, "gelu with its slope", x, want, 1e-7)
		near(t, "slope", slope, []float64{0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1}, 1e-7)

		nan := []float32{float32(math.NaN())}
		TanhGELU.Apply(y, nan)
		active.geluGrad(slope, nan, 1, 1, 1)
		if y[0] == y[0] || nan[0] == nan[0] || slope[0] == slope[0] {
			t.Errorf("NaN became %v, and %v with slope %v", y[0], nan[0], slope[0])
		}
	})
}

// The exact form, and its derivative, are as close as the tanh form to what they stand for.
func TestExactGELU(t *testing.T) {
	exact := func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }
	var x []float32
	for v := float32(-12); v <= 12; v += 1.0 / 128 {
		x = append(x, v)
	}
	x = append(x, -1e10, 1e10, -40, 40, float32(math.Copysign(0, -1)), 1e-20)
	want, slope := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range widen(x) {
		want[i] = exact(v)
		slope[i] = 0.5*math.Erfc(-v/math.Sqrt2) + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
	}
	y, dy := random(newRand(1), len(x), 0), random(newRand(2), len(x), 0)
	for i := range slope {
		slope[i] *= float64(dy[i])
	}
	ExactGELU.Apply(y, x)
	near(t, "exact gelu", y, want, 3e-7)
	unharmed(t, y)
	exactGELUFunctions.gradient(dy, x, 1, len(x), len(x))
	near(t, "its gradient", dy, slope, 1e-6)
	if !slices.Equal(x, y) {
		t.Error("the backward pass computes another exact GELU than the forward pass")
	}
	inf := float32(math.Inf(1))
	special := []float32{inf, -inf, float32(math.NaN())}
	ExactGELU.Apply(special, special)
	if special[0] != inf || special[1] != 0 || special[2] == special[2] {
		t.Errorf("of +Inf, -Inf and NaN it is %v", special)
	}
}
