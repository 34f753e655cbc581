package kernel

import (
	"math"
	"testing"
)

func TestAdamW(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range append(lengths(), 2*adamwBlock+17) {
			r := newRand(uint64(n))
			param, grad, m, v := random(r, n, n%3), random(r, n, n%5), random(r, n, n%2), random(r, n, 1)
			clear(m)
			clear(v)
			p, pm, pv := widen(param), make([]float64, n), make([]float64, n)
			o := AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, GradScale: 0.25}
			cut := n / 3 // as two parameters, of which one decays
			for step := 1; step <= 5; step++ {
				o.Step = step
				lr, b1, b2 := float64(o.LR), float64(o.Beta1), float64(o.Beta2)
				for i, g := range widen(grad) {
					decay := float64(float32(0.1))
					if i >= cut {
						decay = 0
					}
					g *= float64(o.GradScale)
					pm[i] = b1*pm[i] + (1-b1)*g
					pv[i] = b2*pv[i] + (1-b2)*g*g
					mHat := pm[i] / (1 - math.Pow(b1, float64(step)))
					vHat := pv[i] / (1 - math.Pow(b2, float64(step)))
					p[i] = p[i]*(1-lr*decay) - lr*mHat/(math.Sqrt(vHat)+float64(o.Eps))
				}
				o.Update(Trained{param[:cut], grad[:cut], m[:cut], v[:cut], 0.1}, Trained{param[cut:], grad[cut:], m[cut:], v[cut:], 0})
			}
			near(t, "param", param, p, 1e-6)
			near(t, "m", m, pm, 1e-6)
			near(t, "v", v, pv, 1e-6)
			unharmed(t, param, grad, m, v)
		}
	})
}

// A gradient of 0 leaves a parameter to its decay: no 0/0.
func TestAdamWNoGradient(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		param, zero, m, v := []float32{2}, []float32{0}, []float32{0}, []float32{0}
		AdamW{LR: 0.5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 1}.Update(Trained{param, zero, m, v, 0.5})
		near(t, "param", param, []float64{1.5}, 1e-7)
	})
}
