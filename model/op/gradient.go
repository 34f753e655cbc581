package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// gradient is the Gorgonia operation that yields the gradient of one input of
// an operation. Its arguments are the operation's inputs, the gradient of the
// output, and the residual sum's gradient where there is one to add to.
type gradient struct {
	of    *operation
	input int
	args  G.Nodes
}

// plan notes what the backward pass reads and writes, once for all inputs.
func (d *gradient) plan(p *plan, args []*buffer) *buffer {
	o := d.of
	if !p.differentiated[o] {
		p.differentiated[o] = true
		o.planBackward(p, args)
	}
	if o.addsToStream && d.input == o.stream {
		return args[len(o.inputs)+1]
	}
	return o.grads[d.input]
}

// Do runs the backward pass, once for all inputs.
func (d *gradient) Do(v ...G.Value) (G.Value, error) {
	o := d.of
	n := len(o.inputs)
	first := o.pending
	o.pending = false
	if first { // o.in is what the forward pass has loaded
		if o.addsToStream {
			o.in[o.stream].grad, o.in[o.stream].accumulate = v[n+1].(*tensor.Dense).Float32s(), true
		}
		start := o.graph.start()
		o.prepareGradients()
		o.layer.backward(o.outData(), o.gradOfOutput(v[n]), o.in)
		o.graph.observe(o, true, start)
		o.graph.ready(o)
	}
	if o.addsToStream && d.input == o.stream {
		return v[n+1], nil
	}
	return o.grads[d.input].dense, nil
}

// settingLayer is a layer that can set the gradients of some parameters, and not only add to
// them: for these inputs too it does what values.accumulate says.
type settingLayer interface {
	// sets says whether this holds for an input, of that many inputs.
	sets(input, inputs int) bool
}

// prepareGradients zeroes gradients left from the last step, or lets the layer overwrite them.
func (o *operation) prepareGradients() {
	l, _ := o.layer.(settingLayer)
	for i, stale := range o.stale {
		if stale == nil || !*stale || o.in[i].grad == nil {
			continue
		}
		*stale = false
		if l != nil && l.sets(i, len(o.in)) {
			o.in[i].accumulate = false
		} else {
			kernel.Clear(o.in[i].grad)
		}
	}
}

// gradOfOutput is the gradient of the output, of which the machine passes the value.
func (o *operation) gradOfOutput(v G.Value) []float32 {
	switch v := v.(type) {
	case *tensor.Dense:
		return v.Float32s()
	case *G.F32:
		o.dscalar[0] = float32(*v)
		return o.dscalar[:]
	default:
		panic(fmt.Sprintf("op: the gradient of %s has type %T", o.name, v))
	}
}

// Arity, Type, InferShape and the rest are what Gorgonia asks of an Op.
func (d *gradient) Arity() int { return len(d.args) }

// Type is the function type of the gradient, fixed by its arguments.
func (d *gradient) Type() hm.Type { return fnType(d.args, d.of.inputs[d.input].Shape()) }

// InferShape is the shape of the input.
func (d *gradient) InferShape(...G.DimSizer) (tensor.Shape, error) {
	return d.of.inputs[d.input].Shape(), nil
}

// ReturnsPtr is true: the gradient is memory of the operation or the parameter.
func (d *gradient) ReturnsPtr() bool { return true }

// CallsExtern is false: the machine is not to allocate an output.
func (d *gradient) CallsExtern() bool { return false }

// OverwritesInput is -1: Gorgonia must not plan around the buffer of a residual
// sum's gradient that is added to.
func (d *gradient) OverwritesInput() int { return -1 }

// WriteHash gives every node another hash.
func (d *gradient) WriteHash(h hash.Hash) { fmt.Fprint(h, d.String(), "#", d.of.id) }

// Hashcode is another number for each gradient, and not that of an operation.
func (d *gradient) Hashcode() uint32 { return d.of.id<<8 | uint32(d.input+1) | 1<<31 }

// String names the operation and the input.
func (d *gradient) String() string { return fmt.Sprintf("∂%s/∂%d", d.of.name, d.input) }
