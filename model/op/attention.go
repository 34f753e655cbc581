package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// attention is multi-head causal self-attention. Of the T×T scores it keeps
// only each row's log-sum-exp; the backward pass computes them again.
type attention struct {
	shape   kernel.AttentionShape
	dropout dropout
	lse     []float32
}

// CausalSelfAttention returns [N, D] for packed queries, keys and values [N, 3·D]
// of sequences of context tokens: softmax(q·kᵀ/√(D/heads))·v in each head, where the causal
// mask lets a token see itself and the tokens before it only (Vaswani et al. 2017, section
// 3.2). kernel.Attention applies the mask. Dropout acts on the probabilities.
func (g *Graph) CausalSelfAttention(qkv *G.Node, heads, context int, dropoutP float32) *G.Node {
	n, d3 := dims("CausalSelfAttention's input", qkv)
	d := d3 / 3
	must(d3%3 == 0 && d%heads == 0 && n%context == 0, "CausalSelfAttention: qkv %v, %d heads, context %d", qkv.Shape(), heads, context)
	a := &attention{
		shape:   kernel.AttentionShape{Batch: n / context, Context: context, Heads: heads, HeadDim: d / heads},
		dropout: g.newDropout(dropoutP),
		lse:     g.floats(n * heads),
	}
	return g.apply("CausalSelfAttention", a, tensor.Shape{n, d}, activation(qkv))
}

func (a *attention) forward(out []float32, in []values) {
	kernel.Attention(out, a.lse, in[0].float, a.shape, a.dropout.mask())
}

func (a *attention) backward(_, dout []float32, in []values) {
	kernel.AttentionGrad(in[0].grad, dout, a.lse, in[0].float, a.shape, a.dropout.mask())
}

func (a *attention) backwardReads() (inputs, output bool) { return true, false }

func (a *attention) describe(int) description {
	probabilities, _ := a.dropout.around("softmax(q·kᵀ/√d + mask)")
	return description{"Causal self-attention", Attention, "P·v, P = " + probabilities, []string{"q, k, v"},
		[]string{"dv = Pᵀ·dy, dq = dS·k/√d, dk = dSᵀ·q/√d"}}
}
