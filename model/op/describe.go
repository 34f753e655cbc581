package op

import G "gorgonia.org/gorgonia"

// Kind is what sort of arithmetic an operation is.
type Kind int

const (
	Lookup        Kind = iota // rows of a table, or of states
	Product                   // products of matrices, with what is done to their result
	Attention                 // a weighted sum over the tokens before
	Normalization             // mean and variance of each row
	Elementwise               // a function of each element
	Loss                      // a number that training makes small
)

// description is what a picture of the graph says of an operation, in the words of the field.
// The output is y, and the loss is L; dx is the gradient of the loss with respect to x.
type description struct {
	name      string
	kind      Kind
	formula   string
	inputs    []string // their symbols
	gradients []string // with respect to each input; "" if there is none
}

// Part describes a node: an operation, or one of its gradients.
type Part struct {
	// Operation numbers the operations of a graph; an operation and its gradients
	// have the same number.
	Operation int
	// Input is the input whose gradient the node is, or −1 for the operation itself.
	Input   int
	Name    string   // of the operation, as "Layer normalization"
	Kind    Kind     // of the operation
	Formula string   // of the node, as "x·W + b" or "dW = xᵀ·dy"
	Symbols []string // of the operation's inputs, as x, W, b
}

// Describe describes a node of this package; ok is false for inputs, parameters and
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
		if o.addsToStream && input == o.stream {
			p.Formula += " + ds" // see residual
		}
	}
	return p, true
}

// around returns a term of a formula with dropout on it, and the gradient of the term, for
// the gradient dy of the result and the mask m.
func (d dropout) around(term string) (dropped, dy string) {
	if d.p == 0 {
		return term, "dy"
	}
	return "dropout(" + term + ")", "(m·dy)"
}
