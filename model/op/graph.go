// Package op holds the transformer's operations as Gorgonia operations: each
// file has one, its forward pass and its gradient side by side, as arithmetic
// of package kernel on row-major float32 matrices. Activations are matrices
// [N, D] with one row per token, N = B·T, rows of a sequence in order.
//
// The graph is Gorgonia's: nodes are made with ApplyOp and differentiated with Grad.
// What differs from Gorgonia's own operations is memory: an operation has its output
// and its gradients for good; Graph.Plan lets those share memory that don't live at the
// same time. Machine runs the graph, and allocates nothing. A parameter's gradient accumulates in one buffer (Param.Grad), over the
// operations that read the parameter and over micro-batches.
package op

import (
	"fmt"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	_ "go4.org/unsafe/assume-no-moving-gc" // Gorgonia's own pin panics on newer Go

	"tinygpt/model/kernel"
)

// Graph is what the operations of one expression graph share. The zero value is
// not usable; see NewGraph.
type Graph struct {
	Expr *G.ExprGraph
	// Observe, unless nil, is told how long each forward or backward pass of an
	// operation's arithmetic took. What a run takes beside is the machine's.
	Observe func(operation string, backward bool, took time.Duration)

	dropoutSeed  uint64
	dropoutSites uint64
	skips        map[*G.Node]*skip
	list         []*operation
	arena        *Arena
	bytes        int64
}

// skip is the gradient that a residual sum owes to the stream. It is paid by the other
// operation that reads the stream: see residual.
type skip struct {
	grad  *G.Node // gradient of the sum, known once the sum is differentiated
	taken bool
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{Expr: G.NewGraph(), skips: map[*G.Node]*skip{}, arena: &Arena{}}
}

// Param is a parameter's place in a graph. Grad has the shape of the value and
// is added to, unless *Stale: then it counts as zero whatever it holds, and the
// first that would add to it sets it, and Stale to false. A nil Grad means frozen:
// no gradient is computed.
type Param struct {
	Node  *G.Node
	Grad  *tensor.Dense
	Stale *bool // nil: never
}

// Param adds a parameter that shares value's memory with every graph over it.
func (g *Graph) Param(name string, value, grad *tensor.Dense) Param {
	n := G.NewTensor(g.Expr, tensor.Float32, value.Dims(), G.WithShape(value.Shape()...), G.WithName(name), G.WithValue(value))
	return Param{Node: n, Grad: grad}
}

// Indices adds an input of n int32 (token ids, targets, labels) and returns its
// node with the memory that the next run reads.
func (g *Graph) Indices(name string, n int) (*G.Node, []int32) {
	backing := make([]int32, n)
	v := tensor.New(tensor.WithShape(n), tensor.WithBacking(backing))
	g.bytes += int64(n) * 4
	return G.NewTensor(g.Expr, tensor.Int32, 1, G.WithShape(n), G.WithName(name), G.WithValue(v)), backing
}

// Floats is Indices for an input of n float32 that nothing is differentiated by.
func (g *Graph) Floats(name string, n int) (*G.Node, []float32) {
	backing := make([]float32, n)
	v := tensor.New(tensor.WithShape(n), tensor.WithBacking(backing))
	g.bytes += int64(n) * 4
	return G.NewTensor(g.Expr, tensor.Float32, 1, G.WithShape(n), G.WithName(name), G.WithValue(v)), backing
}

// SetDropoutSeed chooses the masks of the next run. Each Dropout and attention
// of the graph draws masks of its own from it.
func (g *Graph) SetDropoutSeed(seed uint64) { g.dropoutSeed = seed }

// Bytes is the memory of activations, gradients of activations and indices, as far
// as they have it: all after Plan.
func (g *Graph) Bytes() int64 { return g.bytes }

// Grad adds the gradient of the scalar loss with respect to every parameter
// that isn't frozen; a run then accumulates them in the parameters' Grad.
func (g *Graph) Grad(loss *G.Node, params []Param) error {
	var wrt G.Nodes
	for _, p := range params {
		if p.Grad != nil {
			wrt = append(wrt, p.Node)
		}
	}
	if _, err := G.Grad(loss, wrt...); err != nil {
		return fmt.Errorf("op: differentiating: %w", err)
	}
	trainable := map[*G.Node]bool{}
	for _, n := range wrt {
		trainable[n] = true
	}
	for x, s := range g.skips {
		if s.grad != nil && !s.taken && reaches(x, trainable) {
			return fmt.Errorf("op: the gradient past %v is lost: only its residual sum reads it", x)
		}
	}
	return nil
}

// reaches says whether n depends on a node of set. It marks what doesn't.
func reaches(n *G.Node, set map[*G.Node]bool) bool {
	if yes, seen := set[n]; seen {
		return yes
	}
	set[n] = false
	o, ok := n.Op().(interface{ inputNodes() []*G.Node })
	if !ok {
		return false
	}
	for _, c := range o.inputNodes() {
		if reaches(c, set) {
			set[n] = true
			return true
		}
	}
	return false
}

// floats returns memory that an operation of this graph owns for good.
func (g *Graph) floats(n int) []float32 {
	g.bytes += int64(n) * 4
	return kernel.Memory(n)
}

// start is the time now if somebody wants to know.
func (g *Graph) start() (t time.Time) {
	if g.Observe != nil {
		t = time.Now()
	}
	return t
}

// observe reports a pass that began at start.
func (g *Graph) observe(o *operation, backward bool, start time.Time) {
	if g.Observe != nil {
		g.Observe(o.name, backward, time.Since(start))
	}
}
