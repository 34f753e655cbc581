package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tinygpt/internal/fixture"
)

// sequences calls f for each sequence of n of T tags.
func sequences(n, T int, f func(tags []int32)) {
	tags := make([]int32, n)
	for {
		f(tags)
		i := 0
		for ; i < n && int(tags[i]) == T-1; i++ {
			tags[i] = 0
		}
		if i == n {
			return
		}
		tags[i]++
	}
}

// Over all sequences of a short sentence, the probabilities sum to 1, the likeliest is
// Viterbi's, and the gradients are differences of the loss.
func TestCRF(t *testing.T) {
	r := newRand(5)
	for _, shape := range [][2]int{{1, 1}, {1, 4}, {2, 3}, {5, 3}, {4, 5}} {
		n, T := shape[0], shape[1]
		scores, chain := make([]float32, n*T), make([]float32, (T+2)*T)
		for _, x := range [][]float32{scores, chain} {
			for i := range x {
				x[i] = float32(2 * r.NormFloat64())
			}
		}
		var sum float64
		var likeliest []int32
		least := math.Inf(1)
		sequences(n, T, func(tags []int32) {
			loss := CRF(scores, chain, tags, T)
			sum += math.Exp(-loss)
			if loss < least {
				least, likeliest = loss, slices.Clone(tags)
			}
		})
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%v: probabilities sum to %v", shape, sum)
		}
		got := make([]int32, n)
		if Viterbi(got, scores, chain, T); !slices.Equal(got, likeliest) {
			t.Errorf("%v: Viterbi finds %v, the likeliest is %v", shape, got, likeliest)
		}
		tags := make([]int32, n)
		for i := range tags {
			tags[i] = int32(r.IntN(T))
		}
		dscores, dchain := make([]float32, n*T), make([]float32, (T+2)*T)
		for range 2 { // it adds
			CRFGrad(dscores, dchain, scores, chain, tags, T, 0.5)
		}
		checkDifferences(t, scores, dscores, func() float64 { return CRF(scores, chain, tags, T) })
		checkDifferences(t, chain, dchain, func() float64 { return CRF(scores, chain, tags, T) })
	}
	if CRF(nil, make([]float32, 8), nil, 2) != 0 {
		t.Error("an empty sentence has a loss")
	}
}

// checkDifferences compares a gradient with differences of the loss.
func checkDifferences(t *testing.T, x, gradient []float32, loss func() float64) {
	t.Helper()
	for i := range x {
		if want := fixture.Slope(&x[i], 1.0/256, loss); math.Abs(want-float64(gradient[i])) > 1e-3 {
			t.Errorf("gradient %d is %v, by differences %v", i, gradient[i], want)
		}
	}
}

// Ties go to the first tag, and long sentences overflow nothing.
func TestCRFLong(t *testing.T) {
	const n, T = 2000, 3
	scores, chain, tags := make([]float32, n*T), make([]float32, (T+2)*T), make([]int32, n)
	tags[7] = 2
	if Viterbi(tags, scores, chain, T); slices.Max(tags) != 0 {
		t.Error("ties don't go to the first tag")
	}
	if got, want := CRF(scores, chain, tags, T), n*math.Log(T); math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %v, want %v", got, want)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range scores {
		scores[i] = float32(100 * r.NormFloat64())
	}
	if loss := CRF(scores, chain, tags, T); math.IsNaN(loss) || math.IsInf(loss, 0) {
		t.Errorf("loss %v", loss)
	}
}
