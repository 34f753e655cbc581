package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// logits is the output head.
type logits struct{ rows, width, vocab int }

// Logits returns h·Eᵀ [N, V] for hidden states h [N, D] and a token table E
// [V, D]: how well each token of the vocabulary fits as the next one (Radford et
// al. 2018, equation 2). If the head is tied, E is the token table of Embedding.
func (g *Graph) Logits(h *G.Node, table Param) *G.Node {
	n, d := dims("Logits' input", h)
	v, td := dims("Logits' table", table.Node)
	must(d == td, "Logits: hidden %v, table %v", h.Shape(), table.Node.Shape())
	return g.apply("Logits", &logits{n, d, v}, tensor.Shape{n, v}, activation(h), table.input())
}

func (l *logits) forward(out []float32, in []values) {
	kernel.Product{TransB: true, M: l.rows, N: l.vocab, K: l.width, A: in[0].float, B: in[1].float, C: out}.Compute()
}

func (l *logits) backward(_, dout []float32, in []values) {
	h, table := in[0], in[1]
	var dh, dtable kernel.Product
	if h.grad != nil {
		dh = kernel.Product{M: l.rows, N: l.width, K: l.vocab, A: dout, B: table.float, C: h.grad, Add: h.before()}
	}
	if table.grad != nil {
		dtable = kernel.Product{TransA: true, M: l.vocab, N: l.width, K: l.rows, A: dout, B: h.float, C: table.grad, Add: table.before()}
	}
	kernel.Compute(dh, dtable)
}

func (l *logits) sets(_, _ int) bool { return true }

func (l *logits) backwardReads() (inputs, output bool) { return true, false }

func (l *logits) describe(int) description {
	return description{"Logits", Product, "h·Eᵀ", []string{"h", "E"}, []string{"dh = dy·E", "dE = dyᵀ·h"}}
}
