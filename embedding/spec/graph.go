package spec

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Graph is the objective of a batch with its gradient with respect to the tables.
type Graph struct {
	Expr *G.ExprGraph
	Loss *G.Node // the objective, a number

	tables []*G.Node
	loss   G.Value   // of the last run
	grads  []G.Value // with respect to tables

	constants int // how many there are, for their names
}

// newGraph returns a graph without a loss, with tables of those shapes.
func newGraph(shapes ...tensor.Shape) *Graph {
	g := &Graph{Expr: G.NewGraph()}
	for i, s := range shapes {
		g.tables = append(g.tables, G.NewTensor(g.Expr, tensor.Float64, s.Dims(), G.WithShape(s...), G.WithName(fmt.Sprint("table", i))))
	}
	return g
}

// complete sets the graph's loss and differentiates it.
func (g *Graph) complete(loss *G.Node) (*Graph, error) {
	g.Loss = loss
	grads, err := G.Grad(loss, g.tables...)
	if err != nil {
		return nil, err
	}
	// The machine reuses the memory of its nodes; Read copies what is needed after the run.
	G.Read(loss, &g.loss)
	g.grads = make([]G.Value, len(grads))
	for i, n := range grads {
		G.Read(n, &g.grads[i])
	}
	return g, nil
}

// Run computes the loss for these tables, row-major, and its gradient with respect to each of
// them. A wrong number of tables, or of numbers in one, is an error.
func (g *Graph) Run(tables ...[]float64) (loss float64, grads [][]float64, err error) {
	if len(tables) != len(g.tables) {
		return 0, nil, fmt.Errorf("%d tables, expected %d", len(tables), len(g.tables))
	}
	for i, n := range g.tables {
		if want := n.Shape().TotalSize(); len(tables[i]) != want {
			return 0, nil, fmt.Errorf("table %d has %d numbers, expected %d", i, len(tables[i]), want)
		}
		if err := G.Let(n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(tables[i]))); err != nil {
			return 0, nil, err
		}
	}
	machine := G.NewTapeMachine(g.Expr)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		return 0, nil, err
	}
	for _, x := range g.grads {
		grads = append(grads, slices.Clone(x.Data().([]float64)))
	}
	return g.loss.Data().(float64), grads, nil
}

// constant returns a matrix that isn't differentiated. Gorgonia merges nodes of the same name
// and shape, so each name gets a number.
func (g *Graph) constant(name string, rows, columns int, x []float64) *G.Node {
	g.constants++
	return G.NewMatrix(g.Expr, tensor.Float64, G.WithName(fmt.Sprint(name, " ", g.constants)), G.WithShape(rows, columns),
		G.WithValue(tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(x))))
}

// OneHot returns the matrix [len(words), v] whose row i has a 1 in column words[i] and zeros
// elsewhere. Its product with a table [v, d] has the rows of these words.
func OneHot(words []int, v int) []float64 {
	x := make([]float64, len(words)*v)
	for i, w := range words {
		x[i*v+w] = 1
	}
	return x
}

// Lookup returns the rows of words in a table [v, d], computed as one-hot · table:
// [len(words), d].
func Lookup(words []int, v, d int, table []float64) ([]float64, error) {
	g := newGraph(tensor.Shape{v, d})
	rows := g.lookup("words", words, g.tables[0])
	if _, err := g.complete(G.Must(G.Sum(rows))); err != nil {
		return nil, err
	}
	var product G.Value
	G.Read(rows, &product)
	if _, _, err := g.Run(table); err != nil {
		return nil, err
	}
	return slices.Clone(product.Data().([]float64)), nil
}

// lookup returns the node of the words' rows in a table, computed as one-hot · table.
func (g *Graph) lookup(name string, words []int, table *G.Node) *G.Node {
	v := table.Shape()[0]
	return G.Must(G.Mul(g.constant(name, len(words), v, OneHot(words, v)), table))
}

// dots returns the dot product of each row of x with the same row of y, [n].
func dots(x, y *G.Node) *G.Node {
	return G.Must(G.Sum(G.Must(G.HadamardProd(x, y)), 1))
}

// minusLogSigmoid returns −log σ(x) for each element.
func minusLogSigmoid(x *G.Node) *G.Node {
	return G.Must(G.Neg(G.Must(G.Log(G.Must(G.Sigmoid(x))))))
}
