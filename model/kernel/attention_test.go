package kernel

import (
	"fmt"
	"math"
	"testing"

	"tinygpt/internal/fixture"
)

// attentionRef is Attention in float64 with the whole matrix of weights, each multiplied by its
// element of drop; nil: 1.
func attentionRef(qkv []float64, s AttentionShape, drop []float64) (out, lse []float64) {
	T, d, D := s.Context, s.HeadDim, s.width()
	out, lse = make([]float64, s.rows()*D), make([]float64, s.rows()*s.Heads)
	for b := range s.Batch {
		for h := range s.Heads {
			for i := range T {
				head := b*s.Heads + h
				q := qkv[(b*T+i)*3*D+h*d:]
				w, sum := make([]float64, i+1), 0.0
				for j := range w {
					k := qkv[(b*T+j)*3*D+D+h*d:]
					for c := range d {
						w[j] += q[c] * k[c] / math.Sqrt(float64(d))
					}
					w[j] = math.Exp(w[j])
					sum += w[j]
				}
				lse[head*T+i] = math.Log(sum)
				for j := range w {
					p := w[j] / sum
					if drop != nil {
						p *= drop[(head*T+j)*T+i]
					}
					v := qkv[(b*T+j)*3*D+2*D+h*d:]
					for c := range d {
						out[(b*T+i)*D+h*d+c] += p * v[c]
					}
				}
			}
		}
	}
	return out, lse
}

// factors returns what dropout multiplies each weight by.
func (d Dropout) factors(n int) []float64 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	d.Apply(x, x)
	return widen(x)
}

func TestAttention(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range []AttentionShape{{2, 0, 2, 3}, {0, 4, 2, 3}, {1, 1, 1, 1}, {2, 3, 2, 5}, {1, 17, 2, 8}, {2, 33, 1, 16}, {1, 64, 2, 32}, {1, 70, 3, 20}, {1, 130, 1, 64}, {1, 200, 1, 33}} {
			for _, p := range []float32{0, 0.3} {
				drop := Dropout{P: p, Seed: 11}
				what := fmt.Sprintf("%+v dropout %v: ", s, p)
				qkv := random(newRand(uint64(s.Context)), s.rows()*3*s.width(), s.Heads)
				out, lse := random(newRand(1), s.rows()*s.width(), 1), random(newRand(1), s.rows()*s.Heads, 0)
				wantOut, wantLSE := attentionRef(widen(qkv), s, drop.factors(s.rows()*s.Heads*s.Context))
				Attention(out, lse, qkv, s, drop)
				near(t, what+"out", out, wantOut, 2e-5)
				near(t, what+"lse", lse, wantLSE, 1e-5)
				unharmed(t, out, lse)
			}
		}
	})
}

// The gradient equals differences of the loss Σ dout·out in float64.
func TestAttentionGrad(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range []AttentionShape{{2, 0, 2, 3}, {1, 1, 1, 3}, {2, 5, 2, 5}, {1, 18, 1, 8}, {1, 20, 2, 16}} {
			for _, p := range []float32{0, 0.3} {
				drop := Dropout{P: p, Seed: 12}
				r := newRand(uint64(s.Context))
				qkv, dout := random(r, s.rows()*3*s.width(), 0), random(r, s.rows()*s.width(), 3)
				factors := drop.factors(s.rows() * s.Heads * s.Context)
				x := widen(qkv)
				loss := func() (sum float64) {
					out, _ := attentionRef(x, s, factors)
					for i, v := range out {
						sum += float64(dout[i]) * v
					}
					return sum
				}
				want := make([]float64, len(x))
				for i := range x {
					want[i] = fixture.Slope(&x[i], 1e-5, loss)
				}
				checkAttentionGrad(t, s, drop, qkv, dout, want)
			}
		}
	})
}

func checkAttentionGrad(t *testing.T, s AttentionShape, drop Dropout, qkv, dout []float32, want []float64) {
	t.Helper()
	out, lse := make([]float32, s.rows()*s.width()), make([]float32, s.rows()*s.Heads)
	Attention(out, lse, qkv, s, drop)
	dqkv := random(newRand(2), len(qkv), 1)
	AttentionGrad(dqkv, dout, lse, qkv, s, drop)
	near(t, fmt.Sprintf("%+v dropout %v: dqkv", s, drop.P), dqkv, want, 5e-5)
	unharmed(t, dqkv)
}

// attentionGradRef is the backward pass in float64 without tricks: for shapes with several
// blocks of queries, where differences would take too long.
func attentionGradRef(qkv, dout []float64, s AttentionShape, drop []float64) []float64 {
	T, d, D := s.Context, s.HeadDim, s.width()
	out, lse := attentionRef(qkv, s, drop)
	dqkv := make([]float64, len(qkv))
	scale := 1 / math.Sqrt(float64(d))
	for b := range s.Batch {
		for h := range s.Heads {
			head := b*s.Heads + h
			for i := range T {
				qi, oi := (b*T+i)*3*D+h*d, (b*T+i)*D+h*d
				delta := 0.0
				for c := range d {
					delta += dout[oi+c] * out[oi+c]
				}
				for j := range i + 1 {
					kj := (b*T+j)*3*D + D + h*d
					vj := kj + D
					score, dp := 0.0, 0.0
					for c := range d {
						score += qkv[qi+c] * qkv[kj+c] * scale
						dp += dout[oi+c] * qkv[vj+c]
					}
					p, f := math.Exp(score-lse[head*T+i]), drop[(head*T+j)*T+i]
					ds := p * (f*dp - delta) * scale
					for c := range d {
						dqkv[qi+c] += ds * qkv[kj+c]
						dqkv[kj+c] += ds * qkv[qi+c]
						dqkv[vj+c] += f * p * dout[oi+c]
					}
				}
			}
		}
	}
	return dqkv
}

func TestAttentionGradBlocks(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, s := range []AttentionShape{{2, 64, 2, 32}, {1, 130, 2, 64}, {1, 200, 1, 33}} {
			drop := Dropout{P: 0.2, Seed: 13}
			r := newRand(uint64(s.Context))
			qkv, dout := random(r, s.rows()*3*s.width(), 0), random(r, s.rows()*s.width(), 0)
			want := attentionGradRef(widen(qkv), widen(dout), s, drop.factors(s.rows()*s.Heads*s.Context))
			checkAttentionGrad(t, s, drop, qkv, dout, want)
		}
	})
}

func TestAttentionSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		s, drop := AttentionShape{3, 100, 3, 24}, Dropout{0.1, 4}
		r := newRand(6)
		qkv, dout := random(r, s.rows()*3*s.width(), 0), random(r, s.rows()*s.width(), 0)
		sameBits(t, func() []float32 {
			n := s.rows() * s.width()
			y := make([]float32, 4*n+s.rows()*s.Heads)
			out, dqkv, lse := y[:n], y[n:4*n], y[4*n:]
			Attention(out, lse, qkv, s, drop)
			AttentionGrad(dqkv, dout, lse, qkv, s, drop)
			return y
		})
	})
}
