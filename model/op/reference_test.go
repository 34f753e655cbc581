package op

import (
	"math"
)

func refFeedForward(in [][]float64, n, d, f int) []float64 {
	return refLinear(refGELU(refLinear(in[0], in[1], in[2], n, d, f)), in[3], in[4], n, f, d)
}

func maxAbs(x []float64) (m float64) {
	for _, v := range x {
		m = max(m, math.Abs(v))
	}
	return m
}

func refAdd(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

func refGELU(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, x := range x {
		out[i] = 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	return out
}

func refLinear(x, w, b []float64, n, in, out int) []float64 {
	y := make([]float64, n*out)
	for i := range y {
		y[i] = b[i%out]
		for k := range in {
			y[i] += x[i/out*in+k] * w[k*out+i%out]
		}
	}
	return y
}

func refLayerNorm(x, gain, bias []float64, n, d int) []float64 {
	y := make([]float64, n*d)
	for r := range n {
		row := x[r*d : r*d+d]
		var mean, variance float64
		for _, v := range row {
			mean += v / float64(d)
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(d)
		}
		for j, v := range row {
			y[r*d+j] = (v-mean)/math.Sqrt(variance+1e-5)*gain[j] + bias[j]
		}
	}
	return y
}

func refAttention(qkv []float64, b, t, h, hd int) []float64 {
	d := h * hd
	at := func(part, batch, pos, head, j int) float64 { return qkv[(batch*t+pos)*3*d+part*d+head*hd+j] }
	out := make([]float64, b*t*d)
	for batch := range b {
		for head := range h {
			for i := range t {
				weights, sum := make([]float64, i+1), 0.0
				for k := range weights {
					var score float64
					for j := range hd {
						score += at(0, batch, i, head, j) * at(1, batch, k, head, j)
					}
					weights[k] = math.Exp(score / math.Sqrt(float64(hd)))
					sum += weights[k]
				}
				for k, w := range weights {
					for j := range hd {
						out[(batch*t+i)*d+head*hd+j] += w / sum * at(2, batch, k, head, j)
					}
				}
			}
		}
	}
	return out
}

func refCrossEntropy(h, table []float64, targets []int32, rows, vocab, d int) float64 {
	var loss, counted float64
	for r, target := range targets {
		if target == Ignore {
			continue
		}
		var sum, own float64
		for v := range vocab {
			var logit float64
			for j := range d {
				logit += h[r*d+j] * table[v*d+j]
			}
			sum += math.Exp(logit)
			if int32(v) == target {
				own = logit
			}
		}
		loss += math.Log(sum) - own
		counted++
	}
	return loss / max(counted, 1)
}
