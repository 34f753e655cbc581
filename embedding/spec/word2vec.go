package spec

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// Batch is examples of word2vec over a vocabulary of Words words. Example n predicts
// Targets[n] from the mean of the input vectors of Windows[n]: one word in skip-gram.
type Batch struct {
	Words   int
	Windows [][]int
	Targets []int
	// Noise are the noise words of each example, the same number for all.
	Noise [][]int
	// Share is what each noise word weighs: k of the objective is the sum.
	Share float64
}

// BatchOf spells out the examples of pieces that kernel.NegativeSampling computes.
func BatchOf(pieces []kernel.Examples, words int, s kernel.Sampling) Batch {
	b := Batch{Words: words}
	for _, e := range pieces {
		noise := make([]int, len(e.Noise))
		for k, row := range e.Noise {
			noise[k] = int(row) - words
		}
		b.Share = float64(s.Negatives) / float64(len(noise))
		for c, target := range e.Targets {
			var window []int
			for i := int(e.From[c]); i < int(e.To[c]); i++ {
				if i != e.First+c {
					window = append(window, int(e.Inputs[i]))
				}
			}
			add := func(w []int) {
				b.Windows, b.Targets, b.Noise = append(b.Windows, w), append(b.Targets, int(target)-words), append(b.Noise, noise)
			}
			switch {
			case len(window) == 0:
			case s.CBOW:
				add(window)
			default:
				for _, w := range window {
					add([]int{w})
				}
			}
		}
	}
	return b
}

// hidden is the mean of each window's input vectors, [N, D]: a matrix of one-hot rows,
// averaged, times the table.
func (b Batch) hidden(g *Graph, table *G.Node) *G.Node {
	x := make([]float64, len(b.Windows)*b.Words)
	for n, window := range b.Windows {
		for _, w := range window {
			x[n*b.Words+w] += 1 / float64(len(window))
		}
	}
	return G.Must(G.Mul(g.constant("windows", len(b.Windows), b.Words, x), table))
}

// NegativeSampling is the objective of equation 4 of Mikolov et al. 2013 ("Distributed
// Representations of Words and Phrases"), to be minimised:
//
//	Σ −log σ(h·o) + Share · Σ_noise −log σ(−h·n)
//
// Its tables are input and output vectors, both [Words, d].
func NegativeSampling(b Batch, d int) (*Graph, error) {
	g := newGraph(tensor.Shape{b.Words, d}, tensor.Shape{b.Words, d})
	in, out := g.tables[0], g.tables[1]
	h := b.hidden(g, in)
	positive := dots(h, g.lookup("targets", b.Targets, out))
	loss := G.Must(G.Sum(minusLogSigmoid(positive)))
	for k := range b.Noise[0] {
		words := make([]int, len(b.Noise))
		for n := range words {
			words[n] = b.Noise[n][k]
		}
		negative := dots(h, g.lookup("noise", words, out))
		each := G.Must(G.Sum(minusLogSigmoid(G.Must(G.Neg(negative)))))
		loss = G.Must(G.Add(loss, G.Must(G.Mul(G.NewConstant(b.Share), each))))
	}
	return g.complete(loss)
}

// Softmax is the objective that negative sampling replaces, equation 2 of the same paper:
//
//	Σ log Σ_w exp(h·w) − h·o
//
// over all words w, with the same tables. Noise is not used.
func Softmax(b Batch, d int) (*Graph, error) {
	g := newGraph(tensor.Shape{b.Words, d}, tensor.Shape{b.Words, d})
	in, out := g.tables[0], g.tables[1]
	h := b.hidden(g, in)
	scores := G.Must(G.Mul(h, G.Must(G.Transpose(out)))) // [N, Words]
	total := G.Must(G.Log(G.Must(G.Sum(G.Must(G.Exp(scores)), 1))))
	own := dots(h, g.lookup("targets", b.Targets, out))
	return g.complete(G.Must(G.Sum(G.Must(G.Sub(total, own)))))
}
