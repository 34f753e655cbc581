package op

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// embedding is the sum of a token's vector, its position's vector and, if there is a fourth
// input, its type's vector.
type embedding struct{ context, width int }

// Embedding returns [N, D]: row r is tokenTable[tokens[r]] + positionTable[r mod
// context], for tokens [N] of sequences of context tokens each, a token table
// [V, D] and a position table of at least context rows (Radford et al. 2018,
// equation 2: h0 = U·We + Wp).
func (g *Graph) Embedding(tokens *G.Node, tokenTable, positionTable Param, context int) *G.Node {
	return g.embed(context, tokenTable, positionTable, tokens)
}

// TypedEmbedding is Embedding with tokenTable[types[r]] added to row r: a token's type is
// itself a token, as token_type_ids are in transformers' GPT-2.
func (g *Graph) TypedEmbedding(tokens, types *G.Node, tokenTable, positionTable Param, context int) *G.Node {
	return g.embed(context, tokenTable, positionTable, tokens, types)
}

// embed adds the operation; ids are the tokens and, if there are any, their types.
func (g *Graph) embed(context int, tokenTable, positionTable Param, ids ...*G.Node) *G.Node {
	_, d := dims("token table", tokenTable.Node)
	rows, pd := dims("position table", positionTable.Node)
	n := ids[0].Shape()[0]
	must(pd == d && rows >= context && n%context == 0, "Embedding: %d tokens, context %d, tables %v and %v", n, context, tokenTable.Node.Shape(), positionTable.Node.Shape())
	inputs := []input{constant(ids[0]), tokenTable.input(), positionTable.input()}
	for _, types := range ids[1:] {
		must(types.Shape()[0] == n, "Embedding: %d tokens, %d types", n, types.Shape()[0])
		inputs = append(inputs, constant(types))
	}
	return g.apply("Embedding", &embedding{context, d}, tensor.Shape{n, d}, inputs...)
}

func (e *embedding) forward(out []float32, in []values) {
	tokens, table, positions := in[0].index, in[1].float, in[2].float
	kernel.Embedding(out, table, tokens, e.width)
	kernel.EmbeddingAdd(out, positions, len(tokens), e.context, e.width)
	if len(in) > 3 {
		kernel.EmbeddingPlus(out, table, in[3].index, e.width)
	}
}

func (e *embedding) backward(_, dout []float32, in []values) {
	tokens, table, positions := in[0].index, in[1], in[2]
	if table.grad != nil {
		kernel.EmbeddingGrad(table.grad, dout, tokens, e.width)
		if len(in) > 3 {
			kernel.EmbeddingGrad(table.grad, dout, in[3].index, e.width)
		}
	}
	if positions.grad != nil {
		kernel.PositionGrad(positions.grad, dout, len(tokens), e.context, e.width)
	}
}

func (e *embedding) backwardReads() (inputs, output bool) { return false, false }

func (e *embedding) describe(inputs int) description {
	if inputs > 3 {
		return description{"Embedding", Lookup, "E[token] + P[position] + E[type]", []string{"tokens", "E", "P", "types"}, []string{"", "dE[token] = Σ dy, dE[type] = Σ dy", "dP[position] = Σ dy", ""}}
	}
	return description{"Embedding", Lookup, "E[token] + P[position]", []string{"tokens", "E", "P"}, []string{"", "dE[token] = Σ dy", "dP[position] = Σ dy"}}
}
