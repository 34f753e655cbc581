package explain

import (
	"fmt"
	"math"
	"strings"

	"tinygpt/embedding/corpus"
	"tinygpt/embedding/glove"
)

// Noise returns a table of words from frequent to rare: the frequency f of each, the
// probability that it is drawn as a noise word, in proportion to f^power, and the share of its
// occurrences that subsampling with the threshold sample keeps.
func Noise(v *corpus.Vocabulary, power, sample float64) Table {
	t := Table{
		Title:  fmt.Sprintf("Noise words: P(w) = f^%.2g / Σ f^%.2g", power, power),
		Note:   "Rare words are drawn more often than they occur, frequent ones less often; subsampling drops the most frequent.",
		Header: []string{"rank", "word", "count", "f", "P(w)", "P(w) / f", fmt.Sprintf("kept, t = %g", sample)},
	}
	p := corpus.Probabilities(v.Counts, power)
	for rank := 1; ; {
		i := rank - 1
		f := float64(v.Counts[i]) / float64(v.Total)
		t.add(rank, v.Words[i], v.Counts[i], fmt.Sprintf("%.6f", f), fmt.Sprintf("%.6f", p[i]), fmt.Sprintf("%.2f", p[i]/f), fmt.Sprintf("%.1f %%", 100*corpus.Keep(v, i, sample)))
		if rank == len(v.Words) {
			return t
		}
		switch {
		case rank < 5:
			rank++
		default:
			rank *= 2
		}
		rank = min(rank, len(v.Words))
	}
}

// Matrix returns a table of GloVe's matrix X for the n most frequent words.
func Matrix(text *corpus.Text, n, window int) Table {
	v := text.Vocabulary
	n = min(n, len(v.Words))
	t := Table{
		Title:  fmt.Sprintf("Co-occurrences X of the %d most frequent words, window %d", n, window),
		Note:   "Two words at a distance of n count 1/n. The matrix is symmetric.",
		Header: append([]string{""}, v.Words[:n]...),
	}
	glove.Count(text.Tokens.All(), len(v.Words), window, func(word int, columns []int32, counts []float64) {
		if word >= n {
			return
		}
		row := make([]string, n+1)
		row[0] = v.Words[word]
		for i := range n {
			row[i+1] = "0"
		}
		for i, c := range columns {
			if int(c) < n {
				row[c+1] = fmt.Sprintf("%.1f", counts[i])
			}
		}
		t.Rows = append(t.Rows, row)
	})
	return t
}

// Weights returns a table of GloVe's weights f(X), with a bar for each, for counts X from
// xMax/100 to 10·xMax.
func Weights(xMax, alpha float64) Table {
	t := Table{
		Title:  fmt.Sprintf("GloVe's weights: f(X) = min(1, (X / %g)^%g)", xMax, alpha),
		Note:   "Rare pairs say little and weigh little; pairs beyond the maximum all weigh 1, so that frequent words don't drown the rest.",
		Header: []string{"X", "log X", "f(X)", ""},
	}
	for _, share := range []float64{0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 10} {
		x := share * xMax
		f := glove.Weight(x, xMax, alpha)
		t.add(fmt.Sprintf("%g", x), math.Log(x), f, strings.Repeat("█", int(math.Round(30*f))))
	}
	return t
}
