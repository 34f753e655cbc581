// Package op holds the transformer's operations as Gorgonia operations: each
// file has one, its forward pass and its gradient side by side, as arithmetic
// of package kernel on row-major float32 matrices. Activations are matrices
// [N, D] with one row per token, N = B·T, rows of a sequence in order.
//
// The graph is Gorgonia's: nodes are made with ApplyOp and differentiated with Grad. What
// differs from Gorgonia's own operations is memory. An operation keeps the memory of its
// output and its gradients; Graph.Plan lets those share memory that aren't needed at the
// same time. Machine runs the graph, and allocates nothing. The gradient of a parameter
// accumulates in one buffer (Param.Grad), over the operations that read the parameter and
// over micro-batches.
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
	// Observe, unless nil, is called with the time that each forward or backward pass of an
	// operation took. What a run takes besides that is the machine's.
	Observe func(operation string, backward bool, took time.Duration)

	// onReady is called as SetReady says. users counts the operations that add to a
	// parameter's gradient, and left those that are still to do so in this run.
	onReady     func(grad *tensor.Dense)
	users, left map[*tensor.Dense]int

	dropoutSeed  uint64
	dropoutSites uint64
	skips        map[*G.Node]*skip // by the stream that a residual sum reads
	list         []*operation
	arena        *Arena
	bytes        int64
}

// skip records dL/d(sum) for a residual sum. The block's first operation, which also reads
// the stream, adds its own gradient into it, so the stream needs one buffer for all layers:
// see residual.
type skip struct {
	grad  *G.Node // gradient of the sum, known once the sum is differentiated
	taken bool
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{Expr: G.NewGraph(), skips: map[*G.Node]*skip{}, arena: &Arena{}, users: map[*tensor.Dense]int{}, left: map[*tensor.Dense]int{}}
}

// Param is a parameter in a graph. A run adds to Grad, which has the shape of the value. If
// *Stale, Grad counts as zero whatever it holds: the first operation that would add to it
// sets it instead, and sets *Stale to false. A nil Grad means that the parameter is frozen:
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
	return g.addInput(name, backing, n), backing
}

// Floats adds an input of n float32, with respect to which nothing is differentiated, and
// returns its node with the memory that the next run reads.
func (g *Graph) Floats(name string, n int) (*G.Node, []float32) {
	backing := make([]float32, n)
	return g.addInput(name, backing, n), backing
}

// addInput adds an input with that memory, n numbers of 4 bytes.
func (g *Graph) addInput(name string, backing any, n int) *G.Node {
	v := tensor.New(tensor.WithShape(n), tensor.WithBacking(backing))
	g.bytes += int64(n) * 4
	return G.NewTensor(g.Expr, v.Dtype(), 1, G.WithShape(n), G.WithName(name), G.WithValue(v))
}

// SetDropoutSeed chooses the dropout masks of the next run. Every Dropout and attention of
// the graph draws another mask from it.
func (g *Graph) SetDropoutSeed(seed uint64) { g.dropoutSeed = seed }

// Bytes is the memory that activations, their gradients and indices have so far: after Plan,
// all of it.
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

// reaches says whether n depends on a node that set has as true. It adds to set what it
// finds out.
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

// floats returns memory that an operation of this graph keeps.
func (g *Graph) floats(n int) []float32 {
	g.bytes += int64(n) * 4
	return kernel.Memory(n)
}

// SetReady has f called in the next runs with the gradient of each parameter, as soon as the
// run has added to it for the last time, while the backward pass goes on. A nil f ends that.
func (g *Graph) SetReady(f func(grad *tensor.Dense)) {
	g.onReady = f
	clear(g.left)
}

// ready calls onReady for the parameters whose gradients o was the last one to add to.
func (g *Graph) ready(o *operation) {
	if g.onReady == nil {
		return
	}
	for i, b := range o.grads {
		if b == nil || !o.constant[i] {
			continue
		}
		if g.left[b.dense] == 0 {
			g.left[b.dense] = g.users[b.dense]
		}
		if g.left[b.dense]--; g.left[b.dense] == 0 {
			g.onReady(b.dense)
		}
	}
}

// start is the time now if Observe is set.
func (g *Graph) start() (t time.Time) {
	if g.Observe != nil {
		t = time.Now()
	}
	return t
}

// observe reports a pass that began at start to Observe.
func (g *Graph) observe(o *operation, backward bool, start time.Time) {
	if g.Observe != nil {
		g.Observe(o.name, backward, time.Since(start))
	}
}
