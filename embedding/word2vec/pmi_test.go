package word2vec

import (
	"fmt"
	"math"
	"testing"

	"tinygpt/embedding/corpus"
)

// pmi is log(P(i, o) / (P(i)·P(o))) of inputs i and targets o, and the weight of each pair
// in the text: windows are drawn from 1 to window, so a word at distance n counts
// (window−n+1)/window times.
func pmi(text *corpus.Text, window int) (values, weights [][]float64) {
	words := len(text.Vocabulary.Words)
	values, weights = square(words), square(words)
	inputs, total := make([]float64, words), 0.0
	tokens := text.Tokens.All()
	for at, target := range tokens {
		for _, direction := range []int{-1, 1} {
			for n := 1; n <= window && target >= 0; n++ {
				i := at + n*direction
				if i < 0 || i >= len(tokens) || tokens[i] < 0 {
					break
				}
				w := float64(window-n+1) / float64(window)
				weights[tokens[i]][target] += w
				inputs[tokens[i]] += w
				total += w
			}
		}
	}
	for i := range words {
		for o := range words {
			f := float64(text.Vocabulary.Counts[o]) / float64(text.Vocabulary.Total)
			values[i][o] = math.Log(weights[i][o] / (inputs[i] * f))
		}
	}
	return values, weights
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// With enough dimensions the products of skip-gram's vectors tend to PMI − log k (Levy and
// Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", equation 7).
// Noise words are drawn by f itself, as there.
func TestLevyGoldberg(t *testing.T) {
	for _, c := range []struct{ words, dim, tokens, epochs int }{{50, 50, 60_000, 8}, {200, 100, 100_000, 8}, {1000, 100, 300_000, 12}} {
		t.Run(fmt.Sprint(c.words, " words"), func(t *testing.T) {
			text := zipfText(t, c.words, c.tokens)
			o := options()
			o.Dim, o.Epochs, o.Sample, o.NoisePower, o.LearningRate = c.dim, c.epochs, 0, 1, 0.1
			tr := NewTrainer(text.Vocabulary, text.Tokens, corpus.Sequence{}, o)
			for i := range tr.Steps() {
				tr.Train(i)
			}
			values, weights := pmi(text, o.Window)
			var learned, wanted []float64
			for i := range c.words {
				for j := range c.words {
					if weights[i][j] >= 20 {
						learned = append(learned, dot(tr.Model.Input(i), tr.Model.Output(j)))
						wanted = append(wanted, values[i][j]-math.Log(float64(o.Negatives)))
					}
				}
			}
			r := correlation(learned, wanted)
			t.Logf("block of %d, %d sums cut, %d pairs, correlation %.4f", tr.BlockSize(), tr.Cut, len(learned), r)
			if r < 0.95 {
				t.Errorf("the products of %d pairs correlate with PMI − log k by %.3f, want .95", len(learned), r)
			}
		})
	}
}

func dot(x, y []float32) (sum float64) {
	for i := range x {
		sum += float64(x[i]) * float64(y[i])
	}
	return sum
}

// correlation is Pearson's.
func correlation(x, y []float64) float64 {
	var mx, my, xx, yy, xy float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(x))
	}
	for i := range x {
		xx, yy, xy = xx+(x[i]-mx)*(x[i]-mx), yy+(y[i]-my)*(y[i]-my), xy+(x[i]-mx)*(y[i]-my)
	}
	return xy / math.Sqrt(xx*yy)
}
