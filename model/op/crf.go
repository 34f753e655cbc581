package op

import (
	"math"

	G "gorgonia.org/gorgonia"

	"tinygpt/model/kernel"
)

// crf is the loss of a linear-chain conditional random field over sentences.
type crf struct{ rows, tags int }

// CRF returns a scalar: the mean over tokens of −log p(tags of a sentence), in nats, under
// a linear-chain conditional random field (Lafferty et al. 2001; Collobert et al. 2011,
// section 3.3.2), for scores [N, T] of each tag and a chain [T+2, T]: transitions, start,
// end, as in kernel.CRF. Sentences are rows of targets [N] between rows with Ignore.
func (g *Graph) CRF(scores *G.Node, chain Param, targets *G.Node) *G.Node {
	n, t := dims("CRF's scores", scores)
	rows, columns := dims("CRF's chain", chain.Node)
	must(rows == t+2 && columns == t && targets.Shape().TotalSize() == n, "CRF: scores %v, chain %v, targets %v", scores.Shape(), chain.Node.Shape(), targets.Shape())
	return g.apply("CRF", &crf{n, t}, nil, activation(scores), chain.input(), constant(targets))
}

// sentences calls f for the rows [from, to) of each sentence, and returns how many tokens
// they have together.
func (c *crf) sentences(targets []int32, f func(from, to int)) (tokens int) {
	for from := 0; from < c.rows; {
		to := from
		for to < c.rows && targets[to] != Ignore {
			to++
		}
		if to > from {
			tokens += to - from
			f(from, to)
		}
		from = to + 1
	}
	return tokens
}

func (c *crf) forward(out []float32, in []values) {
	scores, chain, targets := in[0].float, in[1].float, in[2].index
	var sum float64
	tokens := c.sentences(targets, func(from, to int) {
		sum += kernel.CRF(scores[from*c.tags:to*c.tags], chain, targets[from:to], c.tags)
	})
	out[0] = float32(sum / math.Max(float64(tokens), 1))
}

func (c *crf) backward(_, dout []float32, in []values) {
	scores, chain, targets := in[0], in[1], in[2].index
	if scores.grad != nil && !scores.accumulate {
		clear(scores.grad)
	}
	tokens := c.sentences(targets, func(int, int) {})
	scale := float64(dout[0]) / math.Max(float64(tokens), 1)
	c.sentences(targets, func(from, to int) {
		rows := func(x []float32) []float32 {
			if x == nil {
				return nil
			}
			return x[from*c.tags : to*c.tags]
		}
		kernel.CRFGrad(rows(scores.grad), chain.grad, rows(scores.float), chain.float, targets[from:to], c.tags, scale)
	})
}

func (c *crf) backwardReads() (inputs, output bool) { return true, false }

func (c *crf) describe(int) description {
	return description{"Conditional random field", Loss, "−log p(tags)", []string{"z", "A", "tags"}, []string{"dz = p(tag) − onehot", "dA = E[transitions] − transitions", ""}}
}
