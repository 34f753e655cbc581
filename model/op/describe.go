package op

import G "gorgonia.org/gorgonia"

// Kind is what sort of arithmetic an operation is.
type Kind int

const (
	Lookup        Kind = iota // rows of a table, or of states
	Product                   // products of matrices, with what is done to their result
	Attention                 // what a token takes over from those before it
	Normalization             // mean and variance of each row
	Elementwise               // each element for itself
	Loss                      // a number that is to become small
)

// description is what a picture of the graph says of an operation, in the words of the
// field. Its output is y, its loss L; d before a symbol is the loss's gradient by it.
type description struct {
	name      string
	kind      Kind
	formula   string
	inputs    []string // their symbols
	gradients []string // by each input; "" for what has none
}

// Part is what a node is to its operation.
type Part struct {
	// Operation numbers the operations of a graph; an operation and its gradients
	// have the same number.
	Operation int
	// Input is the one whose gradient the node is, -1 of the operation itself.
	Input   int
	Name    string   // of the operation, as "Layer normalization"
	Kind    Kind     // of the operation
	Formula string   // of the node, as "x·W + b" or "dW = xᵀ·dy"
	Symbols []string // of the operation's inputs, as x, W, b
}

// Describe says what a node of this package is; ok is false for inputs, parameters and
// Gorgonia's own operations.
func Describe(n *G.Node) (p Part, ok bool) {
	var o *operation
	input := -1
	switch op := n.Op().(type) {
	case *operation:
		o = op
	case residual:
		o = op.operation
	case *gradient:
		o, input = op.of, op.input
	default:
		return Part{}, false
	}
	d := o.layer.describe(len(o.inputs))
	p = Part{Operation: int(o.id), Input: input, Name: d.name, Kind: d.kind, Formula: d.formula, Symbols: d.inputs}
	if input >= 0 {
		p.Formula = d.gradients[input]
		if o.skipped && input == o.main {
			p.Formula += " + ds" // see residual
		}
	}
	return p, true
}

// around is a term of a formula as it is dropped, and the gradient that comes back to it: m is the mask.
func (d dropout) around(term string) (dropped, dy string) {
	if d.p == 0 {
		return term, "dy"
	}
	return "dropout(" + term + ")", "(m·dy)"
}
