package model

import (
	"testing"

	G "gorgonia.org/gorgonia"

	"tinygpt/model/op"
)

// A loss of the log-probabilities of some tokens, whose logits alone are computed, gives
// every parameter the gradient that the cross-entropy gives, all other targets ignored.
func TestLossOfChosenTokens(t *testing.T) {
	const batch, context = 2, 8
	chosen := []int32{3, 4, 5, 12, 13, 0} // the last one is padding
	for _, arch := range []Arch{GPT1, GPT2} {
		tokens := randomTokens(batch*context+1, 11, 5)
		gradients := func(build func(g *Graph) *G.Node) (loss float32, grads [][]float32) {
			m := tiny(t, arch)
			g := m.NewGraph(batch, context, true)
			l := build(g)
			if err := g.Compile(l); err != nil {
				t.Fatal(err)
			}
			copy(g.Tokens, tokens)
			m.ZeroGrad()
			if err := g.Run(); err != nil {
				t.Fatal(err)
			}
			for _, p := range m.Parameters {
				grads = append(grads, p.Grad.Float32s())
			}
			return l.Value().Data().(float32), grads
		}
		want, wantGrads := gradients(func(g *Graph) *G.Node {
			node, targets := g.Indices("targets", batch*context)
			for i := range targets {
				targets[i] = op.Ignore
			}
			for _, row := range chosen[:5] {
				targets[row] = tokens[row+1]
			}
			return g.CrossEntropy(g.Logits(), node)
		})
		got, grads := gradients(func(g *Graph) *G.Node {
			rows, index := g.Indices("rows", len(chosen))
			copy(index, chosen)
			node, targets := g.Indices("targets", len(chosen))
			for i, row := range chosen {
				targets[i] = tokens[row+1]
			}
			targets[5] = op.Ignore
			logProbs := g.LogProbs(g.LogitsOf(g.Rows(g.Hidden, rows, 1)), node)
			return g.Loss("mean", func(x, grad [][]float32) (loss float64) {
				for i, logProb := range x[0] {
					loss -= float64(logProb) / 5
					grad[0][i] = -1.0 / 5
				}
				return loss
			}, logProbs)
		})
		closeTo(t, string(arch)+": loss", []float32{got}, []float32{want})
		for i, p := range tiny(t, arch).Parameters {
			closeTo(t, string(arch)+": gradient of "+p.Name, grads[i], wantGrads[i])
		}
	}
}
