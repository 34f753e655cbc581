package loss

import (
	"math"
	"math/rand/v2"
	"testing"

	"tinygpt/internal/fixture"
)

// Reference values for all losses are in study/verify (testdata/losses.json). Here is
// what must hold whatever the numbers.

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// A constant that is added to the score and that the values know of changes no advantage.
func TestConstantReward(t *testing.T) {
	kl, values := []float64{0.1, -0.2, 0.3}, []float64{0.5, 0.4, 0.1}
	a, _ := GAE(Rewards(kl, 0.1, 1), values, 1, 0.95)
	const c = 7
	for i := range values {
		values[i] += c
	}
	b, _ := GAE(Rewards(kl, 0.1, 1+c), values, 1, 0.95)
	for i := range a {
		near(t, "advantage", b[i], a[i], 1e-12)
	}
}

// The mean over the best of all subsets against drawing them.
func TestExpectBestOf(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	proxy, value := make([]float64, 8), make([]float64, 8)
	for i := range proxy {
		proxy[i], value[i] = r.NormFloat64(), r.NormFloat64()
	}
	for n := 1; n <= 8; n++ {
		sum, count := 0.0, 0.0
		for subset := range 1 << 8 {
			best, members := -1, 0
			for i := range 8 {
				if subset>>i&1 == 1 {
					members++
					if best < 0 || proxy[i] > proxy[best] {
						best = i
					}
				}
			}
			if members == n {
				sum += value[best]
				count++
			}
		}
		near(t, "best of n", ExpectBestOf(n, proxy, value), sum/count, 1e-12)
	}
}

// Rewards that differ by rounding alone aren't blown up to advantages.
func TestRoundingResidue(t *testing.T) {
	third := 1.0 / 3
	a, spread := GroupAdvantages([]float64{third, third + 1e-16, 1 - 2*third, third}, true)
	if spread {
		t.Error("rounding counts as a difference of rewards")
	}
	for _, x := range a {
		near(t, "advantage", x, 0, 0)
	}
}

func TestLogSigmoid(t *testing.T) {
	for _, x := range []float64{-1e300, -800, -1, 0, 1, 800, 1e300} {
		if l := LogSigmoid(x); math.IsNaN(l) || math.IsInf(l, 0) || l > 0 {
			t.Errorf("log σ(%g) = %g", x, l)
		}
	}
	near(t, "σ(2) + σ(−2)", Sigmoid(2)+Sigmoid(-2), 1, 1e-15)
}

// The coefficient grows while KL is above its target, by a fifth of the episodes' share
// of the horizon at most.
func TestAdaptiveKL(t *testing.T) {
	near(t, "far above the target", AdaptiveKL(0.1, 100, 6, 512, 10000), 0.1*(1+0.2*512/10000), 1e-12)
	near(t, "at the target", AdaptiveKL(0.1, 6, 6, 512, 10000), 0.1, 1e-12)
	near(t, "below the target", AdaptiveKL(0.1, 0, 6, 512, 10000), 0.1*(1-0.2*512/10000), 1e-12)
}

// Gradients against differences.
func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	draw := func(n int, scale float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = scale * r.NormFloat64()
		}
		return x
	}
	old, advantages, ref, returns := draw(6, 1), draw(6, 1), draw(6, 1), draw(6, 1)
	for name, f := range map[string]func(x, grad []float64) float64{
		"policy": func(x, grad []float64) float64 { l, _ := Policy(x, old, advantages, 0.2, 6, grad); return l },
		"value":  func(x, grad []float64) float64 { l, _ := Value(x, old, returns, 0.2, 0.1, 6, grad); return l },
		"k3":     func(x, grad []float64) float64 { return K3Loss(x, ref, 6, grad) },
		"pairs": func(x, grad []float64) float64 {
			l, _ := Pairs(x, [][2]int{{0, 1}, {2, 5}, {3, 1}}, 0.5, grad)
			return l
		},
		"nll": func(x, grad []float64) float64 { return NLL(x, 6, grad) },
	} {
		x, grad := draw(6, 1), make([]float64, 6)
		f(x, grad)
		for i := range x {
			near(t, name+"'s gradient", grad[i], fixture.Slope(&x[i], 1e-6, func() float64 { return f(x, nil) }), 1e-6)
		}
	}
}
