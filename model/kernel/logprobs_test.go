package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// logSoftmaxRef is log softmax of a row, in float64.
func logSoftmaxRef(row []float32) []float64 {
	y, sum := widen(row), 0.0
	largest := math.Inf(-1)
	for _, v := range y {
		largest = max(largest, v)
	}
	for _, v := range y {
		sum += math.Exp(v - largest)
	}
	for i := range y {
		y[i] -= largest + math.Log(sum)
	}
	return y
}

func TestLogProbs(t *testing.T) {
	eachPrediction(t, func(t *testing.T, r *rand.Rand, rows, vocab int, logits []float32, targets []int32) {
		// Row 2 has no gradient of the entropy, row 3 only that, row 5 none at all.
		dLogProbs, dEntropies := random(r, rows, 0), random(r, rows, 0)
		dEntropies[2], dLogProbs[3], dLogProbs[5], dEntropies[5] = 0, 0, 0, 0

		wantLogProbs, wantEntropies := make([]float64, rows), make([]float64, rows)
		plain, both := make([]float64, rows*vocab), make([]float64, rows*vocab)
		for i, target := range targets {
			if target == Ignore {
				continue
			}
			logP := logSoftmaxRef(logits[i*vocab : i*vocab+vocab])
			wantLogProbs[i] = logP[target]
			for _, v := range logP {
				wantEntropies[i] -= math.Exp(v) * v
			}
			for j, v := range logP {
				p, one := math.Exp(v), 0.0
				if j == int(target) {
					one = 1
				}
				plain[i*vocab+j] = float64(dLogProbs[i]) * (one - p)
				both[i*vocab+j] = plain[i*vocab+j] - float64(dEntropies[i])*p*(v+wantEntropies[i])
			}
		}

		before := clone(logits)
		logProbs, entropies := random(r, rows, 0), random(r, rows, 0)
		LogProbs(logProbs, nil, logits, targets, rows, vocab)
		near(t, "log-probabilities alone", logProbs, wantLogProbs, 1e-6)
		clear(logProbs)
		LogProbs(logProbs, entropies, logits, targets, rows, vocab)
		near(t, "log-probabilities", logProbs, wantLogProbs, 1e-6)
		near(t, "entropies", entropies, wantEntropies, 1e-6)
		unharmed(t, logits, logProbs, entropies)
		near(t, "logits", logits, widen(before), 0)
		LogProbsGrad(logits, dLogProbs, nil, targets, rows, vocab)
		near(t, "gradient", logits, plain, 1e-6)
		LogProbsGrad(before, dLogProbs, dEntropies, targets, rows, vocab)
		near(t, "gradient with entropies", before, both, 1e-6)
		unharmed(t, logits, before)
	})
}

func TestLogProbsExtremes(t *testing.T) {
	inf := float32(math.Inf(-1))
	eachInstructionSet(t, func(t *testing.T) {
		logits := []float32{1e4, 1e4 - 200, inf, -1e4}
		logProbs, entropies, targets := make([]float32, 1), make([]float32, 1), []int32{1}
		LogProbs(logProbs, entropies, logits, targets, 1, 4)
		near(t, "log-probability", logProbs, []float64{-200}, 1e-6)
		near(t, "entropy", entropies, []float64{0}, 1e-6)
		LogProbsGrad(logits, []float32{2}, []float32{1}, targets, 1, 4)
		near(t, "gradient", logits, []float64{-2, 2, 0, 0}, 1e-6)
		logits[2] = float32(math.NaN())
		LogProbs(logProbs, nil, logits, targets, 1, 4)
		if logProbs[0] == logProbs[0] {
			t.Errorf("a NaN among the logits gave the log-probability %v", logProbs[0])
		}
	})
}

func TestKL(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, vocab := range []int{1, 2, 15, 17, 65, 2047, 5000} {
			// Rows are alike to different degrees, the last ones not at all.
			const rows = 8
			r := newRand(uint64(vocab))
			logits, reference := random(r, rows*vocab, 1), random(r, rows*vocab, 2)
			want := make([]float64, rows)
			for i := range rows {
				spread := float32(math.Pow(10, float64(i)-6))
				for j := range vocab {
					at := i*vocab + j
					logits[at] = 4*logits[at] + 50
					reference[at] = logits[at] + spread*reference[at] - 3
				}
				p, q := logSoftmaxRef(logits[i*vocab:i*vocab+vocab]), logSoftmaxRef(reference[i*vocab:i*vocab+vocab])
				for j := range p {
					want[i] += math.Exp(p[j]) * (p[j] - q[j])
				}
			}
			kl := random(r, rows, 0)
			KL(kl, logits, reference, rows, vocab)
			unharmed(t, kl)
			for i, v := range kl {
				// Relative to the divergence itself, down to what a rounded sum leaves.
				if v < 0 || math.Abs(float64(v)-want[i]) > 2e-6*want[i]+1e-13 {
					t.Errorf("vocabulary %d, row %d: KL %v, want %v", vocab, i, v, want[i])
				}
			}
			KL(kl, logits, logits, rows, vocab)
			near(t, "KL of equal rows", kl, make([]float64, rows), 0)
		}
		inf := float32(math.Inf(-1))
		kl := make([]float32, 3)
		KL(kl, []float32{0, inf, 0, 0, 1e4, 0}, []float32{0, 0, 0, inf, 0, 1e4}, 3, 2)
		if math.Abs(float64(kl[0])-math.Ln2) > 1e-6 || !math.IsInf(float64(kl[1]), 1) || kl[2] != 1e4 {
			t.Errorf("KL at the extremes is %v, want ln 2, +Inf, 10000", kl)
		}
	})
}

func TestLogProbsSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		const rows, vocab = 400, 65
		x, y, targets := random(newRand(1), rows*vocab, 0), random(newRand(2), rows*vocab, 0), make([]int32, rows)
		d := random(newRand(3), rows, 0)
		sameBits(t, func() []float32 {
			out := make([]float32, 3*rows)
			LogProbs(out, out[rows:], x, targets, rows, vocab)
			KL(out[2*rows:], x, y, rows, vocab)
			grad := clone(x)
			LogProbsGrad(grad, d, d, targets, rows, vocab)
			return append(out, grad...)
		})
	})
}
