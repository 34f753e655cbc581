package kernel

import (
	"fmt"
	"math"
	"testing"

	"tinygpt/internal/fixture"
)

func layerNormRef(x, gain, bias []float64, eps float64) []float64 {
	d := float64(len(x))
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / d
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / d
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v-mean)/math.Sqrt(variance+eps)*gain[i] + bias[i]
	}
	return y
}

func TestLayerNorm(t *testing.T) {
	const eps = 1e-5
	eachInstructionSet(t, func(t *testing.T) {
		for _, d := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 129} {
			const rows = 5
			r := newRand(uint64(d))
			x, gain, bias, dy := random(r, rows*d, d%3), random(r, d, 1), random(r, d, 2), random(r, rows*d, d%2)
			for i := range x {
				x[i] += 2
			}
			y, mean, rstd := random(r, rows*d, 0), random(r, rows, 0), random(r, rows, 0)
			LayerNorm(y, mean, rstd, x, gain, bias, rows, d, eps)
			unharmed(t, y, mean, rstd)

			// The loss is Σ dy·y; its gradients are differences in float64.
			loss := func(x, gain, bias []float64) (sum float64) {
				for i := range rows {
					for j, v := range layerNormRef(x[i*d:i*d+d], gain, bias, eps) {
						sum += float64(dy[i*d+j]) * v
					}
				}
				return sum
			}
			X, G, B := widen(x), widen(gain), widen(bias)
			slope := func(p []float64) []float64 {
				g := make([]float64, len(p))
				for i := range p {
					g[i] = fixture.Slope(&p[i], 1e-5, func() float64 { return loss(X, G, B) })
				}
				return g
			}
			for i := range rows {
				near(t, fmt.Sprintf("d %d: y", d), y[i*d:i*d+d], layerNormRef(X[i*d:i*d+d], G, B, eps), 2e-5)
			}
			if d == 1 || d == 2 { // the variance may vanish, and differences with it
				continue
			}
			dx, dgain, dbias := random(r, rows*d, 0), random(r, d, 0), random(r, d, 0)
			dx0, dgain0, dbias0 := widen(dx), widen(dgain), widen(dbias)
			wantX, wantG, wantB := slope(X), slope(G), slope(B)
			LayerNormGrad(dx, nil, nil, dy, x, gain, mean, rstd, rows, d, false)
			near(t, fmt.Sprintf("d %d: dx", d), dx, wantX, 1e-4)
			for i := range dx {
				dx[i] = float32(dx0[i])
				wantX[i] += dx0[i]
			}
			for i := range dgain {
				wantG[i] += dgain0[i]
				wantB[i] += dbias0[i]
			}
			LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd, rows, d, true)
			near(t, fmt.Sprintf("d %d: accumulated dx", d), dx, wantX, 1e-4)
			near(t, fmt.Sprintf("d %d: dgain", d), dgain, wantG, 1e-4)
			near(t, fmt.Sprintf("d %d: dbias", d), dbias, wantB, 1e-4)
			unharmed(t, dx, dgain, dbias)
		}
	})
}

// Of many rows the gradients of gain and bias are the sums of those of each row.
func TestLayerNormGradOfManyRows(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		const rows = 301
		for _, d := range []int{3, 70, 200} {
			r := newRand(uint64(d))
			x, dy, gain, bias := random(r, rows*d, 0), random(r, rows*d, 0), random(r, d, 0), random(r, d, 0)
			y, dx, mean, rstd := random(r, rows*d, 0), random(r, rows*d, 0), random(r, rows, 0), random(r, rows, 0)
			LayerNorm(y, mean, rstd, x, gain, bias, rows, d, 1e-5)
			dgain, dbias := random(r, d, 0), random(r, d, 0)
			gains, biases := clone(dgain), clone(dbias)
			LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd, rows, d, false)
			for i := range rows {
				LayerNormGrad(y, gains, biases, dy[i*d:], x[i*d:], gain, mean[i:], rstd[i:], 1, d, false)
			}
			near(t, "dgain", dgain, widen(gains), 1e-4)
			near(t, "dbias", dbias, widen(biases), 1e-4)
			unharmed(t, dx, dgain, dbias)
		}
	})
}

func TestLayerNormSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		const rows, d = 301, 200
		r := newRand(5)
		x, dy, gain, bias := random(r, rows*d, 0), random(r, rows*d, 0), random(r, d, 0), random(r, d, 0)
		sameBits(t, func() []float32 {
			y := make([]float32, 2*rows*d+2*rows+2*d)
			dx, mean, rstd, dgain, dbias := y[rows*d:], y[2*rows*d:], y[2*rows*d+rows:], y[2*rows*d+2*rows:], y[2*rows*d+2*rows+d:]
			LayerNorm(y, mean, rstd, x, gain, bias, rows, d, 1e-5)
			LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd, rows, d, false)
			return y
		})
	})
}
