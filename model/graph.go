package model

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/op"
)

// Graph is the model's computation for one shape of batch, over the model's parameters
// themselves, not a copy. Build it with NewGraph, add what should be computed from the
// hidden states, Compile; then fill Tokens and Run as often as needed.
type Graph struct {
	*op.Graph
	Batch, Context int
	// Tokens [B·T] are what the next run reads, sequence by sequence.
	Tokens []int32
	// Types [B·T] are the tokens' types, of a model that has some (see Model.SetTypes);
	// else nil.
	Types []int32
	// Hidden [B·T, D] is the node of the final hidden states.
	Hidden *G.Node

	model    *Model
	training bool
	params   []op.Param
	machine  *op.Machine
}

// NewGraph builds the decoder for batch sequences of context tokens (Radford et al. 2018,
// equation 2). A training graph has dropout, and gradients when it is compiled with a loss.
func (m *Model) NewGraph(batch, context int, training bool) *Graph {
	g := &Graph{Graph: op.NewGraph(), Batch: batch, Context: context, model: m, training: training}
	var tokens *G.Node
	tokens, g.Tokens = g.Indices("tokens", batch*context)
	names := namesOf(m.Config.Arch)
	var x *G.Node
	if m.typed {
		var types *G.Node
		types, g.Types = g.Indices("types", batch*context)
		x = g.TypedEmbedding(tokens, types, g.param(names.tokens), g.param(names.positions), context)
		g.ClearTypes()
	} else {
		x = g.Embedding(tokens, g.param(names.tokens), g.param(names.positions), context)
	}
	x = g.Dropout(x, g.dropout())
	for i := range m.Config.Layers {
		x = g.block(x, block(i))
	}
	if m.Config.Arch == GPT2 {
		x = g.layerNorm(x, "ln_f")
	}
	g.Hidden = x
	return g
}

// ClearTypes gives all tokens the type that the model has for none, if it has types.
func (g *Graph) ClearTypes() {
	for i := range g.Types {
		g.Types[i] = g.model.untyped
	}
}

// block is one layer: attention, then the feed-forward network, each added to the residual
// stream x. GPT-2 normalises what the two read, GPT-1 the sums.
func (g *Graph) block(x *G.Node, name string) *G.Node {
	if g.model.Config.Arch == GPT2 {
		x = g.attention(x, g.layerNorm(x, name+"ln_1"), name+"attn.")
		return g.feedForward(x, g.layerNorm(x, name+"ln_2"), name+"mlp.")
	}
	x = g.layerNorm(g.attention(x, x, name+"attn."), name+"ln_1")
	return g.layerNorm(g.feedForward(x, x, name+"mlp."), name+"ln_2")
}

// attention adds the attention of h to the stream x.
func (g *Graph) attention(x, h *G.Node, name string) *G.Node {
	qkv := g.linear(h, name+"c_attn")
	a := g.CausalSelfAttention(qkv, g.model.Config.Heads, g.Context, g.dropout())
	return g.ResidualLinear(x, a, g.param(name+"c_proj.weight"), g.param(name+"c_proj.bias"), g.dropout())
}

// feedForward adds the feed-forward network of h to the stream x.
func (g *Graph) feedForward(x, h *G.Node, name string) *G.Node {
	return g.ResidualFeedForward(x, h, g.param(name+"c_fc.weight"), g.param(name+"c_fc.bias"),
		g.param(name+"c_proj.weight"), g.param(name+"c_proj.bias"), activations[g.model.Config.Activation], g.dropout())
}

func (g *Graph) linear(x *G.Node, name string) *G.Node {
	return g.Linear(x, g.param(name+".weight"), g.param(name+".bias"))
}

func (g *Graph) layerNorm(x *G.Node, name string) *G.Node {
	return g.LayerNorm(x, g.param(name+".weight"), g.param(name+".bias"), g.model.Config.epsilon())
}

func (g *Graph) dropout() float32 {
	if !g.training {
		return 0
	}
	return g.model.Config.Dropout
}

// param brings a parameter of the model into the graph.
func (g *Graph) param(name string) op.Param {
	p := g.model.byName[name]
	if p == nil {
		panic("model: no parameter " + name)
	}
	return g.use(p, name)
}

// use brings p into the graph under a node name. In a training graph it gets a gradient
// buffer, unless it is frozen.
func (g *Graph) use(p *Parameter, name string) op.Param {
	var grad *tensor.Dense
	if g.training && !p.frozen() {
		if p.Grad == nil {
			p.Grad = zeros(p.Value.Shape())
		}
		grad = p.Grad
	}
	param := g.Param(name, p.Value, grad)
	param.Stale = &p.stale
	g.params = append(g.params, param)
	return param
}

// Logits adds the output head: [B·T, V].
func (g *Graph) Logits() *G.Node { return g.LogitsOf(g.Hidden) }

// LogitsOf adds the output head on states [R, D]: [R, V]. Where the loss counts few
// tokens, such as those of answers, states are the rows of Hidden that predict them
// (op.Graph.Rows). A tied head is a node of its own over the embedding's memory, so that
// the two uses add to one gradient in place.
func (g *Graph) LogitsOf(states *G.Node) *G.Node {
	return g.Graph.Logits(states, g.use(g.model.head(), "head"))
}

// Differentiate adds the gradients of the loss to a training graph, for graphs that are only
// looked at. Compile does it for those that are run.
func (g *Graph) Differentiate(loss *G.Node) error { return g.Grad(loss, g.params) }

// Compile makes the graph ready to run. With a loss it is differentiated first;
// runs then add to the parameters' gradients.
func (g *Graph) Compile(loss *G.Node) error {
	if loss != nil {
		if err := g.Differentiate(loss); err != nil {
			return err
		}
	}
	var err error
	if g.machine, err = op.NewMachine(g.Graph); err != nil {
		return err
	}
	g.Plan(g.machine)
	return nil
}

// Run computes every node for the present Tokens (and other inputs).
func (g *Graph) Run() error {
	for i, t := range g.Tokens {
		if int(t) < 0 || int(t) >= g.model.Config.VocabSize {
			return fmt.Errorf("token %d at position %d is outside the vocabulary of %d", t, i, g.model.Config.VocabSize)
		}
	}
	if err := g.machine.Run(); err != nil {
		return fmt.Errorf("model: running the graph: %w", err)
	}
	for _, p := range g.model.Parameters {
		p.clearIfUnset()
	}
	return nil
}
