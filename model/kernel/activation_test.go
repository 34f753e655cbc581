package kernel

import (
	"math"
	"slices"
	"testing"
)

// ReLU and SiLU and their derivatives, and that the backward pass leaves the activation's bits.
func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, c := range []struct {
		name         string
		activation   Activation
		value, slope func(x float64) float64
		inf          [2]float32 // of ±infinity
	}{
		{"relu", ReLU, func(x float64) float64 { return max(x, 0) },
			func(x float64) float64 {
				if x > 0 {
					return 1
				}
				return 0
			}, [2]float32{float32(math.Inf(1)), 0}},
		{"silu", SiLU, func(x float64) float64 { return x * sigmoid(x) },
			func(x float64) float64 { return sigmoid(x) * (1 + x*(1-sigmoid(x))) }, [2]float32{float32(math.Inf(1)), 0}},
	} {
		var x []float32
		for v := float32(-12); v <= 12; v += 1.0 / 128 {
			x = append(x, v)
		}
		x = append(x, -1e10, 1e10, -90, 90, -110, 110, float32(math.Copysign(0, -1)), 1e-20)
		want, slope := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range widen(x) {
			want[i], slope[i] = c.value(v), c.slope(v)
		}
		y, dy := random(newRand(1), len(x), 0), random(newRand(2), len(x), 0)
		for i := range slope {
			slope[i] *= float64(dy[i])
		}
		c.activation.Apply(y, x)
		near(t, c.name, y, want, 3e-7)
		unharmed(t, y)
		c.activation.functions(active).gradient(dy, x, 1, len(x), len(x))
		near(t, c.name+"'s gradient", dy, slope, 1e-6)
		if !slices.Equal(x, y) {
			t.Errorf("%s: the backward pass computes another activation than the forward pass", c.name)
		}
		special := []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
		grad := []float32{1, 1, 1}
		again := slices.Clone(special)
		c.activation.Apply(special, special)
		c.activation.functions(active).gradient(grad, again, 1, 3, 3)
		if special[0] != c.inf[0] || special[1] != c.inf[1] || special[2] == special[2] {
			t.Errorf("%s of +Inf, -Inf and NaN is %v", c.name, special)
		}
		if grad[0] != 1 || grad[1] != 0 || grad[2] == grad[2] {
			t.Errorf("%s's gradient at +Inf, -Inf and NaN is %v", c.name, grad)
		}
	}
}
