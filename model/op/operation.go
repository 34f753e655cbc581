package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// layer is what each file of this package implements: arithmetic that knows nothing of
// Gorgonia. What the backward pass needs from the forward pass (means, log-sum-exps) the
// layer keeps in memory of its own.
type layer interface {
	// forward writes out, reading the inputs' values.
	forward(out []float32, in []values)
	// backward writes in[i].grad for every input that has one, reading the
	// inputs' values and the gradient of the output.
	backward(out, dout []float32, in []values)
	// describe is what a picture says of the layer, applied to that many inputs.
	describe(inputs int) description
}

// gradInPlace marks a layer whose first input is overwritten with its gradient by the
// backward pass, or already by the forward pass of a graph that is differentiated. No other
// operation may read that input.
type gradInPlace interface{ gradInPlace() }

// values is one input of a layer at run time.
type values struct {
	float []float32 // its value, if float32
	index []int32   // its value, if int32
	grad  []float32 // where its gradient goes; nil: not wanted
	// accumulate: the gradient is added to grad; otherwise it replaces it. True for
	// parameters, except those that a settingLayer sets.
	accumulate bool
}

// before is what the gradient is added to, or nil if it replaces what is there.
func (v values) before() []float32 {
	if v.accumulate {
		return v.grad
	}
	return nil
}

// operation is the Gorgonia operation around a layer. It owns its output, and
// returns it from Do, so a run allocates nothing.
//
// The first of its gradient nodes that the machine reaches computes the gradients of all
// inputs; the other ones only return what is there. (Gorgonia allows one output per
// operation, and inputs share most of the work, as in LayerNorm, or the packing of operands,
// as in Linear.)
type operation struct {
	layer    layer
	name     string
	id       uint32
	graph    *Graph
	shape    tensor.Shape // of the output
	inputs   []*G.Node
	grads    []*buffer // one for each input; nil: not wanted, or not yet asked for
	constant []bool    // input i is a parameter or a constant
	stale    []*bool   // Param.Stale of inputs that are parameters

	out        *buffer // nil for a scalar
	scalar     *G.F32
	scalarData [1]float32
	dscalar    [1]float32
	in         []values
	pending    bool // the gradients of this run haven't been computed yet
	// For a block's first operation, see residual: stream is the index of the input that is
	// the residual stream, and addsToStream says that the backward pass adds this input's
	// gradient into the residual sum's buffer.
	stream       int
	addsToStream bool
}

// input is a layer's input at the time the graph is built.
type input struct {
	node  *G.Node
	param Param // if it is a parameter
	kind  inputKind
}

type inputKind int

const (
	isActivation inputKind = iota // differentiated; the gradient is the operation's own
	isParam                       // differentiated if grad is set
	isConstant                    // never differentiated
)

func activation(n *G.Node) input { return input{node: n} }
func constant(n *G.Node) input   { return input{node: n, kind: isConstant} }
func (p Param) input() input     { return input{node: p.Node, param: p, kind: isParam} }

// apply adds a node that computes l. A nil shape means a scalar.
func (g *Graph) apply(name string, l layer, shape tensor.Shape, inputs ...input) *G.Node {
	o := g.newOperation(name, l, shape, inputs...)
	return o.node(o)
}

// newOperation makes the operation of apply without its node.
func (g *Graph) newOperation(name string, l layer, shape tensor.Shape, inputs ...input) *operation {
	o := &operation{layer: l, name: name, id: uint32(len(g.list) + 1), graph: g, shape: shape}
	g.list = append(g.list, o)
	for _, in := range inputs {
		var grad *buffer
		if t := in.param.Grad; t != nil {
			grad = &buffer{shape: t.Shape(), dense: t}
			g.users[t]++
		}
		o.inputs = append(o.inputs, in.node)
		o.grads = append(o.grads, grad)
		o.constant = append(o.constant, in.kind != isActivation)
		o.stale = append(o.stale, in.param.Stale)
	}
	o.in = make([]values, len(inputs))
	if shape == nil {
		o.shape = tensor.ScalarShape()
		o.scalar = G.NewF32(0)
	} else {
		o.out = &buffer{shape: shape}
	}
	return o
}

// node applies self, which is o or embeds it, to o's inputs.
func (o *operation) node(self G.Op) *G.Node {
	n, err := G.ApplyOp(self, o.inputs...)
	if err != nil {
		panic(fmt.Sprintf("op: %s: %v", o.name, err))
	}
	return n
}

// inputNodes are the nodes that the operation reads.
func (o *operation) inputNodes() []*G.Node { return o.inputs }

// output is where the operation writes; nil for a scalar.
func (o *operation) output() *buffer { return o.out }

// outData is the output's memory.
func (o *operation) outData() []float32 {
	if o.out == nil {
		return o.scalarData[:]
	}
	return o.out.memory(o.graph).Float32s()
}

// load reads the machine's values into o.in.
func (o *operation) load(v []G.Value) {
	for i := range o.in {
		o.in[i].grad, o.in[i].accumulate = nil, o.constant[i]
		if g := o.grads[i]; g != nil {
			o.in[i].grad = g.memory(o.graph).Float32s()
		}
		t := v[i].(*tensor.Dense)
		if t.Dtype() == tensor.Int32 {
			o.in[i].index = t.Int32s()
		} else {
			o.in[i].float = t.Float32s()
		}
	}
}

// Do runs the forward pass.
func (o *operation) Do(v ...G.Value) (G.Value, error) {
	o.pending = true
	o.load(v)
	start := o.graph.start()
	data := o.outData()
	o.layer.forward(data, o.in)
	o.graph.observe(o, false, start)
	if o.scalar != nil {
		*o.scalar = G.F32(data[0])
		return o.scalar, nil
	}
	return o.out.dense, nil
}

// plan notes what the forward pass reads and writes.
func (o *operation) plan(p *plan, args []*buffer) *buffer {
	pass := p.next()
	p.reads(pass, args...)
	if l, ok := o.layer.(bufferedLayer); ok {
		kept, forward, _ := l.buffers()
		p.writes(pass, kept...)
		p.writes(pass, forward...)
	}
	if o.out != nil {
		p.writes(pass, o.out)
	}
	return o.out
}

// planBackward notes what the backward pass reads and writes.
func (o *operation) planBackward(p *plan, args []*buffer) {
	pass, n := p.next(), len(o.inputs)
	inputs, output := true, true
	if l, ok := o.layer.(leanLayer); ok {
		inputs, output = l.backwardReads()
	}
	if inputs {
		p.reads(pass, args[:n]...)
	}
	if output {
		p.reads(pass, o.out)
	}
	p.reads(pass, args[n:]...)
	if l, ok := o.layer.(bufferedLayer); ok {
		kept, _, backward := l.buffers()
		p.reads(pass, kept...)
		p.writes(pass, backward...)
	}
	_, inPlace := o.layer.(gradInPlace)
	for i, b := range o.grads {
		switch {
		case b == nil || o.constant[i]:
		case i == 0 && inPlace:
			p.reads(pass, b)
		default:
			p.writes(pass, b)
		}
	}
}

// DiffWRT names the inputs that have a gradient.
func (o *operation) DiffWRT(int) []bool {
	wrt := make([]bool, len(o.inputs))
	for i := range wrt {
		wrt[i] = !o.constant[i] || o.grads[i] != nil
	}
	return wrt
}

// SymDiff adds the gradient nodes. If a residual sum also reads the stream input, this
// operation adds its gradient into the sum's; see residual.
func (o *operation) SymDiff(in G.Nodes, _, grad *G.Node) (G.Nodes, error) {
	args := append(append(G.Nodes{}, in...), grad)
	if s := o.graph.skips[in[o.stream]]; s != nil && s.grad != nil && !s.taken && !o.constant[o.stream] {
		s.taken, o.addsToStream = true, true
		args = append(args, s.grad)
	}
	out := make(G.Nodes, len(in))
	for i, wanted := range o.DiffWRT(len(in)) {
		if !wanted {
			continue
		}
		_, inPlace := o.layer.(gradInPlace)
		switch {
		case o.grads[i] != nil || i == o.stream && o.addsToStream:
		case i == 0 && inPlace:
			o.grads[i] = in[i].Op().(interface{ output() *buffer }).output()
		default:
			o.grads[i] = &buffer{shape: in[i].Shape()}
		}
		n, err := G.ApplyOp(&gradient{of: o, input: i, args: args}, args...)
		if err != nil {
			return nil, fmt.Errorf("op: gradient of %s: %w", o.name, err)
		}
		out[i] = n
	}
	return out, nil
}

// Arity, Type, InferShape and the rest are what Gorgonia asks of an Op.
func (o *operation) Arity() int { return len(o.inputs) }

// Type is the function type of the operation, fixed by its inputs.
func (o *operation) Type() hm.Type { return fnType(o.inputs, o.shape) }

// InferShape returns the shape fixed when the graph was built.
func (o *operation) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape, nil }

// ReturnsPtr is true: the output is memory of the operation.
func (o *operation) ReturnsPtr() bool { return true }

// CallsExtern is false: the machine is not to allocate an output.
func (o *operation) CallsExtern() bool { return false }

// OverwritesInput is -1: no input is overwritten.
func (o *operation) OverwritesInput() int { return -1 }

// WriteHash gives every node another hash: Gorgonia merges nodes with equal hashes, and an
// operation has state.
func (o *operation) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", o.name, o.id) }

// Hashcode is the number of the operation in its graph.
func (o *operation) Hashcode() uint32 { return o.id }

// String is the operation's name.
func (o *operation) String() string { return o.name }

// fnType is the Gorgonia type of a function from the nodes to a float32 tensor.
func fnType(in []*G.Node, out tensor.Shape) hm.Type {
	var types []hm.Type
	for _, n := range in {
		types = append(types, n.Type())
	}
	if out.IsScalar() {
		return hm.NewFnType(append(types, tensor.Float32)...)
	}
	return hm.NewFnType(append(types, G.TensorType{Dims: out.Dims(), Of: tensor.Float32})...)
}

// dims returns the two dimensions of a matrix node.
func dims(what string, n *G.Node) (rows, cols int) {
	s := n.Shape()
	if s.Dims() != 2 {
		panic(fmt.Sprintf("op: %s is %v, a matrix is expected", what, s))
	}
	return s[0], s[1]
}

// must panics with the shapes if a shape isn't what the operation needs.
func must(ok bool, format string, args ...any) {
	if !ok {
		panic("op: " + fmt.Sprintf(format, args...))
	}
}
