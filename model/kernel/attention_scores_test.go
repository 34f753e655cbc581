package kernel

import (
	"fmt"
	"math"
	"testing"
)

// What a query doesn't see makes no difference, even if it is NaN.
func TestStrip(t *testing.T) {
	const scale = 0.3
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range []scoreBlock{
			{0, 1, 16}, {0, 5, 16}, {0, 17, 32}, {0, 32, 32}, {32, 32, 32}, {23, 17, 32},
			{9, 32, 40}, {99, 31, 32}, {13, 8, 16}, {8, 1, 32},
		} {
			what := fmt.Sprintf("%+v: ", s)
			n := (s.keys()-1)*s.ld + padded(s.queries, active.lanes)
			r := newRand(uint64(s.keys()))
			x, d := random(r, n, s.queries%5), random(r, n, 0)
			lse := random(r, queryBlock, 1)
			for j := range s.keys() {
				for c := range s.queries {
					if j > s.from+c {
						x[j*s.ld+c] = []float32{inf, nan, -inf}[(j+c)%3]
						d[j*s.ld+c] = []float32{nan, 7, inf}[(j+c)%3]
					}
				}
			}
			var softmax, weights, grad, lses []float64
			for c := range s.queries {
				largest, sum := math.Inf(-1), 0.0
				for j := range s.from + c + 1 {
					largest = max(largest, scale*float64(x[j*s.ld+c]))
				}
				for j := range s.from + c + 1 {
					sum += math.Exp(scale*float64(x[j*s.ld+c]) - largest)
				}
				lses = append(lses, largest+math.Log(sum))
				weight := func(j int) float64 { return math.Exp(scale*float64(x[j*s.ld+c]) - float64(lse[c])) }
				delta := 0.0
				for j := range s.from + c + 1 {
					delta += weight(j) * float64(d[j*s.ld+c])
				}
				for j := range s.keys() {
					at, p, w, g := j*s.ld+c, 0.0, 0.0, 0.0
					if j <= s.from+c {
						p = math.Exp(scale*float64(x[at])-largest) / sum
						w = weight(j)
						g = w * (float64(d[at]) - delta) * scale
					}
					softmax, weights, grad = append(softmax, p), append(weights, w), append(grad, g)
				}
			}
			columns := func(x []float32) (y []float32) {
				for c := range s.queries {
					for j := range s.keys() {
						y = append(y, x[j*s.ld+c])
					}
				}
				return y
			}
			y, got := clone(x), random(r, queryBlock, 3)
			active.softmax(y, s, scale, got)
			near(t, what+"softmax", columns(y), softmax, 1e-6)
			near(t, what+"lse", got, lses, 1e-6)
			active.weights(x, s, scale, lse)
			near(t, what+"weights", columns(x), weights, 1e-6)
			active.scoreGrad(d, x, s, scale)
			near(t, what+"scoreGrad", columns(d), grad, 1e-5)
			unharmed(t, x, y, d, got, lse)
		}
	})
}
