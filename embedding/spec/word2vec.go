package spec

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// Batch is examples of word2vec over a vocabulary of Words words. The examples of a group
// share their noise words.
type Batch struct {
	Words  int
	Groups []Group
	// Share is the weight of each noise word, so that a group's noise words weigh as much as
	// the objective's k.
	Share float64
}

// Group is examples with noise words of their own. Example n predicts Targets[n] from the
// mean of the input vectors of Windows[n]: one word in skip-gram.
type Group struct {
	Windows [][]int
	Targets []int
	Noise   []int
}

// BatchOf returns the examples that kernel.NegativeSampling trains on, given the same pieces,
// in a vocabulary of words words.
func BatchOf(pieces []kernel.Examples, words int, s kernel.Sampling) Batch {
	b := Batch{Words: words}
	for _, e := range pieces {
		var g Group
		for _, row := range e.Noise {
			g.Noise = append(g.Noise, int(row)-words)
		}
		b.Share = float64(s.Negatives) / float64(len(g.Noise))
		for c, target := range e.Targets {
			var window []int
			for i := int(e.From[c]); i < int(e.To[c]); i++ {
				if i != e.First+c {
					window = append(window, int(e.Inputs[i]))
				}
			}
			add := func(w []int) {
				g.Windows, g.Targets = append(g.Windows, w), append(g.Targets, int(target)-words)
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
		if len(g.Targets) > 0 {
			b.Groups = append(b.Groups, g)
		}
	}
	return b
}

// hidden returns the mean of each window's input vectors, [N, D]: the mean of the window's
// one-hot rows, times the table.
func (b Batch) hidden(g *Graph, windows [][]int, table *G.Node) *G.Node {
	x := make([]float64, len(windows)*b.Words)
	for n, window := range windows {
		for _, w := range window {
			x[n*b.Words+w] += 1 / float64(len(window))
		}
	}
	return G.Must(G.Mul(g.constant("windows", len(windows), b.Words, x), table))
}

// NegativeSampling returns the graph of equation 4 of Mikolov et al. 2013 ("Distributed
// Representations of Words and Phrases"), negated, so that it is to be minimised:
//
//	Σ −log σ(h·o) + Share · Σ_noise −log σ(−h·n)
//
// Its tables are the input and the output vectors, [Words, d] each. The batch must have a
// group.
func NegativeSampling(b Batch, d int) (*Graph, error) {
	return b.graph(d, func(g *Graph, h *G.Node, e Group, out *G.Node) *G.Node {
		positive := dots(h, g.lookup("targets", e.Targets, out))
		noise := g.lookup("noise", e.Noise, out)
		negative := G.Must(G.Mul(h, G.Must(G.Transpose(noise)))) // [N, K]
		return G.Must(G.Add(
			G.Must(G.Sum(minusLogSigmoid(positive))),
			G.Must(G.Mul(G.NewConstant(b.Share), G.Must(G.Sum(minusLogSigmoid(G.Must(G.Neg(negative)))))))))
	})
}

// Softmax returns the graph of the objective that negative sampling replaces, equation 2 of the
// same paper, with the same tables:
//
//	Σ log Σ_w exp(h·w) − h·o
//
// The inner sum is over all words. Noise words aren't used.
func Softmax(b Batch, d int) (*Graph, error) {
	return b.graph(d, func(g *Graph, h *G.Node, e Group, out *G.Node) *G.Node {
		scores := G.Must(G.Mul(h, G.Must(G.Transpose(out)))) // [N, Words]
		total := G.Must(G.Log(G.Must(G.Sum(G.Must(G.Exp(scores)), 1))))
		own := dots(h, g.lookup("targets", e.Targets, out))
		return G.Must(G.Sum(G.Must(G.Sub(total, own))))
	})
}

// graph returns the graph of the sum of loss over the groups. loss gets a group with its hidden
// vectors h and the output table.
func (b Batch) graph(d int, loss func(g *Graph, h *G.Node, e Group, out *G.Node) *G.Node) (*Graph, error) {
	g := newGraph(tensor.Shape{b.Words, d}, tensor.Shape{b.Words, d})
	var sum *G.Node
	for _, e := range b.Groups {
		one := loss(g, b.hidden(g, e.Windows, g.tables[0]), e, g.tables[1])
		if sum == nil {
			sum = one
		} else {
			sum = G.Must(G.Add(sum, one))
		}
	}
	return g.complete(sum)
}
