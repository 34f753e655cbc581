package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// predictions are random logits of a number of rows, and their targets, two of which are to
// be ignored.
func predictions(r *rand.Rand, rows, vocab int) (logits []float32, targets []int32) {
	logits = random(r, rows*vocab, vocab%3)
	for i := range logits {
		logits[i] = logits[i]*4 + 50
	}
	targets = make([]int32, rows)
	for i := range targets {
		targets[i] = int32(r.IntN(vocab))
	}
	targets[1], targets[4] = Ignore, Ignore
	return logits, targets
}

// eachPrediction runs a test on logits of vocabularies of many sizes, with every instruction set.
func eachPrediction(t *testing.T, test func(t *testing.T, r *rand.Rand, rows, vocab int, logits []float32, targets []int32)) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, vocab := range []int{1, 2, 5, 8, 15, 16, 17, 33, 65, 2047, 5000} {
			const rows = 7
			r := newRand(uint64(vocab))
			logits, targets := predictions(r, rows, vocab)
			test(t, r, rows, vocab, logits, targets)
		}
	})
}

func TestCrossEntropy(t *testing.T) {
	eachPrediction(t, func(t *testing.T, r *rand.Rand, rows, vocab int, logits []float32, targets []int32) {
		p, loss, total := make([]float64, rows*vocab), make([]float64, rows), 0.0
		for i := range rows {
			row, sum := widen(logits[i*vocab:i*vocab+vocab]), 0.0
			for _, v := range row {
				sum += math.Exp(v)
			}
			for j, v := range row {
				p[i*vocab+j] = math.Exp(v) / sum
			}
			if targets[i] != Ignore {
				loss[i] = math.Log(sum) - row[targets[i]]
				total += loss[i]
			}
		}

		before, losses := clone(logits), random(r, rows, 0)
		sum, counted := CrossEntropy(losses, logits, targets, rows, vocab)
		check := func() {
			t.Helper()
			near(t, "loss", losses, loss, 2e-6)
			near(t, "sum", []float32{float32(sum)}, []float64{total}, 2e-6)
			if counted != rows-2 {
				t.Errorf("counted %d, want %d", counted, rows-2)
			}
			unharmed(t, logits, losses)
		}
		check()
		for i := range logits {
			if logits[i] != before[i] {
				t.Fatalf("logits[%d] changed", i)
			}
		}
		softmax := random(r, rows*vocab, 0)
		Softmax(softmax, logits, rows, vocab)
		near(t, "softmax", softmax, p, 1e-6)
		unharmed(t, softmax)
		Softmax(before, before, rows, vocab)
		near(t, "softmax in place", before, p, 1e-6)

		clear(losses)
		sum, counted = CrossEntropyGrad(losses, logits, targets, rows, vocab)
		check()
		for i := range rows {
			row := p[i*vocab : i*vocab+vocab]
			if targets[i] == Ignore {
				clear(row)
				continue
			}
			row[targets[i]]--
			for j := range row {
				row[j] /= float64(counted)
			}
		}
		near(t, "gradient", logits, p, 1e-6)
	})
}

func TestCrossEntropyNothingCounted(t *testing.T) {
	logits := []float32{1, 2, 3, 4}
	sum, counted := CrossEntropyGrad(nil, logits, []int32{Ignore, Ignore}, 2, 2)
	if sum != 0 || counted != 0 {
		t.Errorf("sum %v counted %d, want 0 and 0", sum, counted)
	}
	near(t, "gradient", logits, make([]float64, 4), 0)
}

// Far from 0 and with a large spread, the loss is still exact.
func TestCrossEntropyExtremes(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		inf := float32(math.Inf(-1))
		logits := []float32{1e4, 1e4 - 200, inf, -1e4}
		losses := make([]float32, 1)
		CrossEntropy(losses, logits, []int32{1}, 1, 4)
		near(t, "loss", losses, []float64{200}, 1e-6)
		logits[2] = float32(math.NaN())
		if sum, _ := CrossEntropy(losses, logits, []int32{1}, 1, 4); sum == sum {
			t.Errorf("a NaN among the logits gave the loss %v", sum)
		}
	})
}

func TestCrossEntropySameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		const rows, vocab = 400, 65
		x, targets := random(newRand(1), rows*vocab, 0), make([]int32, rows)
		sameBits(t, func() []float32 {
			y := clone(x)
			sum, _ := CrossEntropyGrad(nil, y, targets, rows, vocab)
			b := math.Float64bits(sum)
			return append(y, math.Float32frombits(uint32(b>>32)), math.Float32frombits(uint32(b)))
		})
	})
}
