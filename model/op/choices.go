package op

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// None as an index of Choices marks a choice that doesn't exist.
const None = -1

// noChoice is the score of a choice that doesn't exist: its probability is 0.
const noChoice = -1e30

// choices arranges scores by question.
type choices struct{}

// Choices returns [Q, C], the scores [S, 1] of S sequences arranged as the C choices of each
// of Q questions: element i is the score of sequence index[i], for an index [Q·C]. Where a
// question has fewer than C choices, its index is None, and the softmax over the choices gives
// that place the probability 0 (Radford et al. 2018, section 3.3: multiple choice).
func (g *Graph) Choices(scores, index *G.Node, perQuestion int) *G.Node {
	_, one := dims("Choices' scores", scores)
	n := index.Shape().TotalSize()
	must(one == 1 && perQuestion > 0 && n%perQuestion == 0, "Choices: scores %v, %d numbers for questions of %d", scores.Shape(), n, perQuestion)
	return g.apply("Choices", choices{}, tensor.Shape{n / perQuestion, perQuestion}, activation(scores), constant(index))
}

func (choices) forward(out []float32, in []values) {
	scores := in[0].float
	for i, s := range in[1].index {
		switch {
		case s == None:
			out[i] = noChoice
		case s < 0 || int(s) >= len(scores):
			panic(fmt.Sprintf("op: Choices: index[%d] = %d, there are %d scores", i, s, len(scores)))
		default:
			out[i] = scores[s]
		}
	}
}

func (choices) backward(_, dout []float32, in []values) {
	scores := in[0]
	if !scores.accumulate {
		clear(scores.grad)
	}
	for i, s := range in[1].index {
		if s != None {
			scores.grad[s] += dout[i]
		}
	}
}

func (choices) backwardReads() (inputs, output bool) { return false, false }

func (choices) describe(int) description {
	return description{"Choices of a question", Lookup, "scores[question, choice]", []string{"scores", "layout"}, []string{"dscores = dy", ""}}
}
