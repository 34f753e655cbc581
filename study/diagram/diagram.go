// Package diagram draws Gorgonia's graph of a model for an audience: the forward pass on the
// left and the backward pass, where gradients flow the opposite way, on the right. Boxes, shapes
// and arrows are taken from the graph, names of operations from package op.
package diagram

import (
	"fmt"
	"slices"
	"strings"

	G "gorgonia.org/gorgonia"

	"tinygpt/internal/number"
	"tinygpt/model"
	"tinygpt/model/op"
)

// Diagram is a graph in rows, each with an operation and its gradients. Every operation reads
// what is above it, every gradient what is below or next to it.
type Diagram struct {
	// Title and Note are written above the picture, left and right.
	Title, Note string
	// Parameters is the number of parameters that are shown; tied ones count once.
	Parameters int

	rows  []*row
	edges []edge
}

// Options say what is shown of a graph. By default, neighbouring layers that are equal are
// shown as one.
type Options struct {
	// Layer is the number of the only layer that is shown, from 1; 0 means the whole model.
	Layer int
	// Unfold shows each layer.
	Unfold bool
}

// row is an operation with its gradients. Either may be missing: a sum of gradients has no
// operation, and what is frozen has no gradients.
type row struct {
	layer             int  // from 0; −1 outside of layers
	times             int  // how many layers the row represents
	outside           bool // it stands for what is above or below the layer that is shown
	forward, backward *box // nil if missing
	// leaves are the inputs, parameters and constants that the operation reads, gradients the
	// gradients of parameters, and seeds the constants with which the backward pass begins.
	leaves, gradients, seeds []chip
}

// kept reports whether the backward pass reads what the operation has read.
func (r *row) kept() bool { return r.forward != nil && r.backward != nil && !r.outside }

// box is an operation, or its gradients with respect to what other operations have computed.
type box struct {
	name, formula, shape string
	kind                 op.Kind
	nodes                []*G.Node // that it represents
}

// chip is a leaf of the graph, or the gradient of a leaf.
type chip struct {
	symbol, text string
	size         int    // numbers of a parameter; 0 if a chip above shows the same parameter
	name         string // of the parameter
	nodes        []*G.Node
}

// edge is an arrow from the box of one row to the box in the same column of another.
type edge struct {
	from, to int // rows
	backward bool
}

// New returns the diagram of the graph of a loss that has been differentiated. A layer that the
// model doesn't have is an error.
func New(m *model.Model, g *model.Graph, loss *G.Node, o Options) (*Diagram, error) {
	r := newReader(m, g.Expr, loss)
	if err := r.read(); err != nil {
		return nil, err
	}
	d := &Diagram{}
	c := m.Config
	d.Title = fmt.Sprintf("%s, %s × %d", map[model.Arch]string{model.GPT1: "GPT-1", model.GPT2: "GPT-2"}[c.Arch], number.Of(c.Layers, "layer"), c.Width)
	switch {
	case o.Layer == 0:
		d.whole(r, o.Unfold)
	case o.Layer < 1 || o.Layer > c.Layers:
		return nil, fmt.Errorf("layer %d: the model has layers 1 to %d", o.Layer, c.Layers)
	default:
		d.Title += fmt.Sprintf(", layer %d", o.Layer)
		d.one(r, o.Layer-1)
	}
	for _, row := range d.rows {
		for _, l := range row.leaves {
			d.Parameters += l.size * row.times
		}
	}
	d.Title += fmt.Sprintf(": %s parameters", number.Thousands(d.Parameters))
	d.Note = d.note(g)
	return d, nil
}

// note returns the shape of the batch and explanations of the formulas' symbols.
func (d *Diagram) note(g *model.Graph) string {
	sequences := "1 sequence"
	if g.Batch != 1 {
		sequences = number.Thousands(g.Batch) + " sequences"
	}
	note := fmt.Sprintf("%s of %s tokens; y: a box's output; dx = ∂L/∂x", sequences, number.Thousands(g.Context))
	has := func(symbol string) bool {
		return slices.ContainsFunc(d.rows, func(r *row) bool { return r.backward != nil && strings.Contains(r.backward.formula, symbol) })
	}
	if has("+ ds") {
		note += "; ds: of the residual sum"
	}
	if has("m·dy") {
		note += "; m: mask"
	}
	return note
}

// reader turns a graph into rows.
type reader struct {
	expr    *G.ExprGraph
	loss    *G.Node
	names   map[G.Value]string // of parameters
	seen    map[G.Value]bool   // parameters that have a chip
	forward map[*G.Node]bool   // the loss and all that it depends on
	rows    []*row
	rowOf   map[*G.Node]*row // of operations and gradients
}

func newReader(m *model.Model, expr *G.ExprGraph, loss *G.Node) *reader {
	r := &reader{expr: expr, loss: loss, names: map[G.Value]string{}, seen: map[G.Value]bool{}, forward: map[*G.Node]bool{}, rowOf: map[*G.Node]*row{}}
	for _, p := range m.Parameters {
		r.names[p.Value] = p.Name
	}
	return r
}

// read makes a row for each node that the loss depends on, and puts the others, which
// differentiation added, next to them.
func (r *reader) read() error {
	r.ancestors(r.loss)
	operations := map[int]*row{}
	consumers := map[*G.Node][]*row{}
	var backward []*G.Node
	for _, n := range r.expr.AllNodes() {
		switch {
		case leaf(n):
		case r.forward[n]:
			row := r.operation(n)
			if p, ok := op.Describe(n); ok {
				operations[p.Operation] = row
			}
			for _, c := range r.inputs(n) {
				consumers[c] = append(consumers[c], row)
			}
		default:
			backward = append(backward, n)
		}
	}
	for _, n := range backward {
		p, ours := op.Describe(n)
		home := operations[p.Operation]
		if !ours {
			home = r.home(n, consumers)
		}
		if home == nil {
			home = r.ownRow(n)
		}
		if err := r.gradient(n, home); err != nil {
			return err
		}
	}
	r.findLayers()
	return nil
}

// ancestors marks n and all that it depends on.
func (r *reader) ancestors(n *G.Node) {
	if r.forward[n] {
		return
	}
	r.forward[n] = true
	for _, c := range r.inputs(n) {
		r.ancestors(c)
	}
}

// inputs returns the nodes that a node reads, in the order of its arguments.
func (r *reader) inputs(n *G.Node) (in []*G.Node) {
	for it := r.expr.From(n.ID()); it.Next(); {
		in = append(in, it.Node().(*G.Node))
	}
	return in
}

// leaf reports whether a node is an input, a parameter or a constant.
func leaf(n *G.Node) bool { return n.Op() == nil || n.Op().Arity() == 0 }

// operation adds the row of an operation.
func (r *reader) operation(n *G.Node) *row {
	p := describe(n)
	b := &box{name: p.Name, formula: p.Formula, shape: shapeOf(n), kind: p.Kind, nodes: []*G.Node{n}}
	row := &row{layer: -1, times: 1, forward: b}
	for i, c := range r.inputs(n) {
		if leaf(c) {
			row.leaves = append(row.leaves, r.leafChip(p.Symbols[i], c))
		}
	}
	r.rows = append(r.rows, row)
	r.rowOf[n] = row
	return row
}

// leafChip returns the chip of a leaf. A parameter that has a chip already gets no size.
func (r *reader) leafChip(symbol string, n *G.Node) chip {
	c := chip{symbol: symbol, text: shapeOf(n), nodes: []*G.Node{n}}
	if n.Op() != nil {
		c.text = fmt.Sprint(n.Value())
		return c
	}
	name, parameter := r.names[n.Value()]
	if !parameter {
		return c
	}
	c.name = name
	if r.seen[n.Value()] {
		c.text = "tied: the table above"
		return c
	}
	r.seen[n.Value()] = true
	c.size = n.Shape().TotalSize()
	return c
}

// home returns the row of the operation that one of Gorgonia's own gradient nodes belongs to:
// the only one that reads the node of which it is the gradient, or a node that it reads itself.
// It returns nil if several operations read it: then the node is the sum of their gradients.
func (r *reader) home(n *G.Node, consumers map[*G.Node][]*row) *row {
	for _, of := range slices.Concat(n.DerivOf(), r.inputs(n)) {
		if c := consumers[of]; len(c) == 1 {
			return c[0]
		}
	}
	return nil
}

// ownRow adds a row for a gradient that belongs to no single operation, above all rows that it
// reads.
func (r *reader) ownRow(n *G.Node) *row {
	at := len(r.rows)
	for _, c := range r.inputs(n) {
		if i := slices.Index(r.rows, r.rowOf[c]); i >= 0 {
			at = min(at, i)
		}
	}
	row := &row{layer: -1, times: 1}
	r.rows = slices.Insert(r.rows, at, row)
	return row
}

// gradient puts a gradient node into a row.
func (r *reader) gradient(n *G.Node, home *row) error {
	r.rowOf[n] = home
	b := home.backward
	var operation *G.Node
	var inputs []*G.Node
	if home.forward != nil {
		operation = home.forward.nodes[0]
		inputs = r.inputs(operation)
	}
	if b == nil {
		b = &box{name: "Sum of gradients", formula: "dx = Σ dx", kind: op.Elementwise, shape: shapeOf(n)}
		if operation != nil {
			b = &box{name: "∂ " + home.forward.name, kind: home.forward.kind}
		}
		home.backward = b
	}
	b.nodes = append(b.nodes, n)
	for _, c := range r.inputs(n) {
		switch {
		case slices.Contains(inputs, c), c == operation: // kept from the forward pass
		case leaf(c):
			if !slices.ContainsFunc(home.seeds, func(s chip) bool { return s.nodes[0] == c }) {
				home.seeds = append(home.seeds, r.leafChip("dL", c))
			}
		case r.forward[c]:
			return fmt.Errorf("diagram: %v reads %v, which is no input of %v: there is no place for such an arrow", n, c, operation)
		}
	}
	if operation == nil {
		return nil
	}
	switch input, formula := gradientOf(n, operation, inputs); {
	case input < 0: // of a constant: Gorgonia computes it, and nothing reads it
	case leaf(inputs[input]):
		name := r.names[inputs[input].Value()]
		home.gradients = append(home.gradients, chip{text: formula, name: name, nodes: []*G.Node{n}})
	default:
		b.formula, b.shape = formula, shapeOf(n)
	}
	return nil
}

// findLayers sets each row's layer: that of its parameters, and for rows without parameters that
// of the rows around them.
func (r *reader) findLayers() {
	first, last := map[int]int{}, map[int]int{}
	for i, row := range r.rows {
		for _, c := range row.leaves {
			if layer, ok := model.LayerOf(c.name); ok {
				if _, known := first[layer]; !known {
					first[layer] = i
				}
				last[layer] = i
			}
		}
	}
	for layer, begin := range first {
		for _, row := range r.rows[begin : last[layer]+1] {
			row.layer = layer
		}
	}
}

// describe returns op.Describe's description, or one of Gorgonia's own operations.
func describe(n *G.Node) op.Part {
	if p, ok := op.Describe(n); ok {
		return p
	}
	p := op.Part{Input: -1, Kind: op.Elementwise, Symbols: []string{"a", "b", "c", "d", "e"}}
	switch sign, _, _ := strings.Cut(n.Op().String(), " "); sign {
	case "+":
		p.Name, p.Formula = "Sum", "a + b"
	case "⊙":
		p.Name, p.Formula = "Product", "a·b"
	default:
		p.Name = n.Op().String()
	}
	return p
}

// gradientOf returns the index of the operation's input of which node n is the gradient, −1 if
// that isn't known, and the formula of the gradient.
func gradientOf(n, operation *G.Node, inputs []*G.Node) (input int, formula string) {
	if p, ok := op.Describe(n); ok {
		return p.Input, p.Formula
	}
	input = slices.IndexFunc(inputs, func(c *G.Node) bool { return slices.Contains(n.DerivOf(), c) })
	p := describe(operation)
	if input < 0 || p.Formula != "a·b" {
		return input, describe(n).Formula
	}
	return input, fmt.Sprintf("d%s = %s·dy", p.Symbols[input], p.Symbols[1-input])
}

// shapeOf returns a node's shape, like "3,072 × 128".
func shapeOf(n *G.Node) string {
	if n.IsScalar() || n.Shape().Dims() == 0 {
		return "a number"
	}
	var sizes []string
	for _, size := range n.Shape() {
		sizes = append(sizes, number.Thousands(size))
	}
	return strings.Join(sizes, " × ")
}
