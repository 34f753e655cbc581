package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"tinygpt/internal/fixture"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// refLogProbs are the log-probabilities of targets under the logits h·tableᵀ, and then
// the entropies.
func refLogProbs(h, table []float64, targets []int32, vocab, d int) []float64 {
	rows := len(targets)
	out := make([]float64, 2*rows)
	for r, target := range targets {
		if target == Ignore {
			continue
		}
		logits, sum := make([]float64, vocab), 0.0
		for v := range vocab {
			for j := range d {
				logits[v] += h[r*d+j] * table[v*d+j]
			}
			sum += math.Exp(logits[v])
		}
		for v, z := range logits {
			logP := z - math.Log(sum)
			out[rows+r] -= math.Exp(logP) * logP
			if v == int(target) {
				out[r] = logP
			}
		}
	}
	return out
}

func TestLogProbs(t *testing.T) {
	for _, c := range []struct {
		d, vocab int
		targets  []int32
	}{
		{1, 1, []int32{0}},
		{3, 5, []int32{4}},
		{3, 7, []int32{6, Ignore, 0, 3}},
		{2, 33, []int32{6, Ignore, 0, 32, 32}},
		{2, 9, []int32{Ignore, Ignore}},
	} {
		n := len(c.targets)
		for _, entropy := range []bool{false, true} {
			checkGradients(t, gradCase{
				name: fmt.Sprint("LogProbs", c, entropy), params: 1,
				shapes: []tensor.Shape{{n, c.d}, {c.vocab, c.d}},
				// Logits are made by an operation, whose output becomes their gradient.
				build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
					targets, backing := g.Indices("targets", n)
					copy(backing, c.targets)
					if entropy {
						return g.LogProbsEntropy(g.Logits(in[0], p[0]), targets)
					}
					return g.LogProbs(g.Logits(in[0], p[0]), targets)
				},
				want: func(in [][]float64) []float64 {
					out := refLogProbs(in[0], in[1], c.targets, c.vocab, c.d)
					if !entropy {
						out = out[:n]
					}
					return out
				},
			})
		}
	}
}

// Minus the mean of the log-probabilities is the cross-entropy, and takes no more memory.
func TestLogProbsEqualCrossEntropy(t *testing.T) {
	const n, d, v = 40, 8, 50
	results := func(build func(g *Graph, logits, targets *G.Node) *G.Node) (bytes int64, all []float32) {
		r := rand.New(rand.NewPCG(1, 2))
		g := NewGraph()
		h := g.Param("h", randomTensor(r, tensor.Shape{n, d}), nil)
		table := g.Param("table", randomTensor(r, tensor.Shape{v, d}), tensor.New(tensor.WithShape(v, d), tensor.Of(tensor.Float32)))
		targets, backing := g.Indices("targets", n)
		for i := range backing {
			backing[i] = int32(r.IntN(v))
		}
		backing[3] = Ignore
		loss := build(g, g.Logits(h.Node, table), targets)
		if err := g.Grad(loss, []Param{table}); err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(g)
		if err != nil {
			t.Fatal(err)
		}
		g.Plan(m)
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		return g.Bytes(), append([]float32{loss.Value().Data().(float32)}, table.Grad.Float32s()...)
	}
	bytes, got := results(func(g *Graph, logits, targets *G.Node) *G.Node {
		return g.Loss("mean", func(x, grad [][]float32) (loss float64) {
			for i, logProb := range x[0] {
				loss -= float64(logProb) / (n - 1)
				grad[0][i] = -1.0 / (n - 1)
			}
			return loss
		}, g.LogProbs(logits, targets))
	})
	wantBytes, want := results(func(g *Graph, logits, targets *G.Node) *G.Node { return g.CrossEntropy(logits, targets) })
	closeTo(t, "loss and gradient", got, want)
	if more := bytes - wantBytes; more > 4*4*n {
		t.Errorf("%d bytes more than with CrossEntropy, of logits that have %d", more, 4*n*v)
	}
}

// A loss of two inputs, like that of a policy and its values, scaled by the gradient that comes back
// to it.
func TestLoss(t *testing.T) {
	const n = 6
	r := rand.New(rand.NewPCG(3, 4))
	g := NewGraph()
	a, b := randomTensor(r, tensor.Shape{n, 1}), randomTensor(r, tensor.Shape{n})
	x, y := g.Param("x", a, nil), g.Param("y", b, nil)
	weights := []float64{1, 0, 2, 0.5, 1, 3}
	f := func(x, y []float64) (loss float64) {
		for i, w := range weights {
			loss += w * math.Exp(x[i]) * y[i]
		}
		return loss
	}
	calls := 0
	loss := G.Must(G.Mul(g.Loss("product", func(in, grad [][]float32) float64 {
		calls++
		for i, w := range weights {
			if w == 0 {
				continue // what isn't written is 0
			}
			e := w * math.Exp(float64(in[0][i]))
			grad[0][i], grad[1][i] = float32(e*float64(in[1][i])), float32(e)
		}
		return f(float64s(a), float64s(b))
	}, x.Node, y.Node), G.NewConstant(float32(0.5))))
	grads, err := G.Grad(loss, x.Node, y.Node)
	if err != nil {
		t.Fatal(err)
	}
	checkDescriptions(t, g)
	run(t, g)
	run(t, g)
	if calls != 2 {
		t.Errorf("%d calls in two runs", calls)
	}
	in := [][]float64{float64s(a), float64s(b)}
	if got, want := float64(loss.Value().Data().(float32)), 0.5*f(in[0], in[1]); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
		t.Errorf("loss %v, want %v", got, want)
	}
	for k := range in {
		for i, v := range grads[k].Value().Data().([]float32) {
			if d := 0.5 * fixture.Slope(&in[k][i], 1e-5, func() float64 { return f(in[0], in[1]) }); math.Abs(float64(v)-d) > 1e-5*(1+math.Abs(d)) {
				t.Errorf("gradient of input %d [%d] = %v, central difference %v", k, i, v, d)
			}
		}
	}
}

// In a graph without gradients the function gets no place for them.
func TestLossForward(t *testing.T) {
	g := NewGraph()
	x := g.Param("x", tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2})), nil)
	loss := g.Loss("sum", func(x, grad [][]float32) float64 {
		if grad != nil {
			t.Errorf("a gradient is asked for: %v", grad)
		}
		return float64(x[0][0] + x[0][1])
	}, x.Node)
	run(t, g)
	if got := loss.Value().Data().(float32); got != 3 {
		t.Errorf("loss %v, want 3", got)
	}
}
