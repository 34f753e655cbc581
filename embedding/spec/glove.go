package spec

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Counts is some cells X of a matrix of co-occurrences [Words, Words]: cell i is in Rows[i] and
// Columns[i].
type Counts struct {
	Words         int
	Rows, Columns []int
	Weights, Logs []float64 // f(X) and log X of each cell
}

// GloVe returns the graph of equation 8 of Pennington et al. 2014 with the factor ½ of the
// authors' program:
//
//	Σ ½ f(X) (w·c + b + b' − log X)²
//
// Its tables are the vectors of words and of contexts, [Words, d] each, and their biases,
// [Words, 1] each.
func GloVe(c Counts, d int) (*Graph, error) {
	vectors, biases := tensor.Shape{c.Words, d}, tensor.Shape{c.Words, 1}
	g := newGraph(vectors, vectors, biases, biases)
	n := len(c.Rows)
	w, x := g.lookup("rows", c.Rows, g.tables[0]), g.lookup("columns", c.Columns, g.tables[1])
	b, b2 := g.lookup("row biases", c.Rows, g.tables[2]), g.lookup("column biases", c.Columns, g.tables[3])
	product := G.Must(G.Reshape(dots(w, x), tensor.Shape{n, 1}))
	logs := g.constant("log X", n, 1, c.Logs)
	diff := G.Must(G.Sub(G.Must(G.Add(G.Must(G.Add(product, b)), b2)), logs))
	square := G.Must(G.HadamardProd(diff, diff))
	weights := g.constant("f(X)", n, 1, c.Weights)
	return g.complete(G.Must(G.Mul(G.NewConstant(0.5), G.Must(G.Sum(G.Must(G.HadamardProd(weights, square)))))))
}
