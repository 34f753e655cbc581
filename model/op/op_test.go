package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

// A gradCase holds an operation, and the slow float64 function that it must equal. Gradients are
// compared with central differences of that function, so the reference has no backward pass that
// could share a mistake.
type gradCase struct {
	name   string
	shapes []tensor.Shape // inputs: x first if the operation reads an activation
	params int            // how many of the last inputs are parameters
	build  func(g *Graph, in []*G.Node, p []Param) *G.Node
	want   func(in [][]float64) []float64
}

func gradCases() []gradCase {
	var cases []gradCase
	add := func(c gradCase) { cases = append(cases, c) }
	for _, s := range []struct{ n, d, o int }{{1, 1, 1}, {1, 5, 3}, {7, 3, 17}, {6, 33, 19}} {
		n, d, o := s.n, s.d, s.o
		add(gradCase{
			name: fmt.Sprint("Linear", s), params: 2,
			shapes: []tensor.Shape{{n, d}, {d, o}, {o}},
			build:  func(g *Graph, in []*G.Node, p []Param) *G.Node { return g.Linear(in[0], p[0], p[1]) },
			want:   func(in [][]float64) []float64 { return refLinear(in[0], in[1], in[2], n, d, o) },
		})
		add(gradCase{
			name: fmt.Sprint("Logits", s), params: 1,
			shapes: []tensor.Shape{{n, d}, {o, d}},
			build:  func(g *Graph, in []*G.Node, p []Param) *G.Node { return g.Logits(in[0], p[0]) },
			want: func(in [][]float64) []float64 {
				out := make([]float64, n*o)
				for i := range out {
					for k := range d {
						out[i] += in[0][i/o*d+k] * in[1][i%o*d+k]
					}
				}
				return out
			},
		})
		// Without the stream among the differentiated inputs: its gradient is the
		// sum's, see below.
		add(gradCase{
			name: fmt.Sprint("ResidualLinear", s), params: 2,
			shapes: []tensor.Shape{{n, d}, {d, o}, {o}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.ResidualLinear(stream(g, n, o), in[0], p[0], p[1], 0)
			},
			want: func(in [][]float64) []float64 {
				return refAdd(streamValues(n, o), refLinear(in[0], in[1], in[2], n, d, o))
			},
		})
		add(gradCase{
			name: fmt.Sprint("ResidualFeedForward", s), params: 4,
			shapes: []tensor.Shape{{n, d}, {d, o}, {o}, {o, d}, {d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.ResidualFeedForward(stream(g, n, d), in[0], p[0], p[1], p[2], p[3], kernel.TanhGELU, 0)
			},
			want: func(in [][]float64) []float64 { return refAdd(streamValues(n, d), refFeedForward(in, n, d, o)) },
		})
		for i, reference := range []func(float64) float64{
			func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) },
			func(x float64) float64 { return max(x, 0) },
			func(x float64) float64 { return x / (1 + math.Exp(-x)) },
		} {
			a := []kernel.Activation{kernel.ExactGELU, kernel.ReLU, kernel.SiLU}[i]
			add(gradCase{
				name: fmt.Sprint("ResidualFeedForward, activation ", a, s), params: 4,
				shapes: []tensor.Shape{{n, d}, {d, o}, {o}, {o, d}, {d}},
				build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
					return g.ResidualFeedForward(stream(g, n, d), in[0], p[0], p[1], p[2], p[3], a, 0)
				},
				want: func(in [][]float64) []float64 {
					hidden := refLinear(in[0], in[1], in[2], n, d, o)
					for i, x := range hidden {
						hidden[i] = reference(x)
					}
					return refAdd(streamValues(n, d), refLinear(hidden, in[3], in[4], n, o, d))
				},
			})
		}
		add(gradCase{
			name: fmt.Sprint("FeedForward", s), params: 4,
			shapes: []tensor.Shape{{n, d}, {d, o}, {o}, {o, d + 2}, {d + 2}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.FeedForward(in[0], p[0], p[1], p[2], p[3], kernel.TanhGELU)
			},
			want: func(in [][]float64) []float64 {
				return refLinear(refGELU(refLinear(in[0], in[1], in[2], n, d, o)), in[3], in[4], n, o, d+2)
			},
		})
		// As in GPT-1: it adds to what it reads.
		add(gradCase{
			name: fmt.Sprint("ResidualFeedForward of the stream", s), params: 4,
			shapes: []tensor.Shape{{n, d}, {d, o}, {o}, {o, d}, {d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.ResidualFeedForward(in[0], in[0], p[0], p[1], p[2], p[3], kernel.TanhGELU, 0)
			},
			want: func(in [][]float64) []float64 { return refAdd(in[0], refFeedForward(in, n, d, o)) },
		})
	}
	for _, s := range []struct{ n, d int }{{1, 2}, {5, 7}, {9, 48}} {
		n, d := s.n, s.d
		add(gradCase{
			name: fmt.Sprint("LayerNorm", s), params: 2,
			shapes: []tensor.Shape{{n, d}, {d}, {d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.LayerNorm(in[0], p[0], p[1], 1e-5)
			},
			want: func(in [][]float64) []float64 { return refLayerNorm(in[0], in[1], in[2], n, d) },
		})
		// The two ways in which a block is added to the stream: its first
		// operation takes on the gradient that passes the block by.
		add(gradCase{
			name: fmt.Sprint("LayerNorm+ResidualLinear", s), params: 4,
			shapes: []tensor.Shape{{n, d}, {d}, {d}, {d, d}, {d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.ResidualLinear(in[0], g.LayerNorm(in[0], p[0], p[1], 1e-5), p[2], p[3], 0)
			},
			want: func(in [][]float64) []float64 {
				return refAdd(in[0], refLinear(refLayerNorm(in[0], in[1], in[2], n, d), in[3], in[4], n, d, d))
			},
		})
		if d > 10 {
			continue // large numbers, and large rounding errors, further down
		}
		add(gradCase{
			name: fmt.Sprint("Linear+ResidualFeedForward, twice", s), params: 12,
			shapes: []tensor.Shape{{n, d}, {d, d}, {d}, {d, d}, {d}, {d, d}, {d}, {d, d}, {d}, {d, d}, {d}, {d, d}, {d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				x := g.ResidualFeedForward(in[0], g.Linear(in[0], p[0], p[1]), p[2], p[3], p[4], p[5], kernel.TanhGELU, 0)
				return g.ResidualFeedForward(x, g.Linear(x, p[6], p[7]), p[8], p[9], p[10], p[11], kernel.TanhGELU, 0)
			},
			want: func(in [][]float64) []float64 {
				x := in[0]
				for _, p := range [][][]float64{in[1:7], in[7:]} {
					h := refLinear(x, p[0], p[1], n, d, d)
					x = refAdd(x, refFeedForward([][]float64{h, p[2], p[3], p[4], p[5]}, n, d, d))
				}
				return x
			},
		})
	}
	for _, s := range []struct{ b, t, h, hd int }{{1, 1, 1, 1}, {1, 1, 2, 3}, {2, 5, 1, 7}, {3, 9, 3, 4}, {1, 35, 2, 17}} {
		d := s.h * s.hd
		add(gradCase{
			name:   fmt.Sprint("CausalSelfAttention", s),
			shapes: []tensor.Shape{{s.b * s.t, 3 * d}},
			build: func(g *Graph, in []*G.Node, p []Param) *G.Node {
				return g.CausalSelfAttention(in[0], s.h, s.t, 0)
			},
			want: func(in [][]float64) []float64 { return refAttention(in[0], s.b, s.t, s.h, s.hd) },
		})
	}
	return cases
}

func TestGradients(t *testing.T) {
	for _, c := range gradCases() {
		t.Run(c.name, func(t *testing.T) { checkGradients(t, c) })
	}
}

func checkGradients(t *testing.T, c gradCase) {
	random := rand.New(rand.NewPCG(1, 2))
	g := NewGraph()
	var nodes []*G.Node
	var params []Param
	inputs := make([][]float64, len(c.shapes))
	for i, s := range c.shapes {
		value := randomTensor(random, s)
		for _, v := range value.Float32s() {
			inputs[i] = append(inputs[i], float64(v))
		}
		p := g.Param(fmt.Sprint("in", i), value, nil)
		if i >= len(c.shapes)-c.params {
			p.Grad = tensor.New(tensor.WithShape(s...), tensor.Of(tensor.Float32))
			params = append(params, p)
		}
		nodes = append(nodes, p.Node)
	}
	out := c.build(g, nodes, params)
	weight := randomTensor(random, out.Shape())
	loss := weightedSum(g, out, weight)
	grads, err := G.Grad(loss, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	checkDescriptions(t, g)
	run(t, g)

	// Twice: a second run must add to the parameters' gradients.
	run(t, g)
	want := c.want(inputs)
	for i, v := range out.Value().Data().([]float32) {
		if math.Abs(float64(v)-want[i]) > 1e-6*(1+maxAbs(want)) {
			t.Fatalf("output[%d] = %v, want %v", i, v, want[i])
		}
	}
	objective := func() (sum float64) {
		for i, v := range c.want(inputs) {
			sum += v * float64(weight.Float32s()[i])
		}
		return sum
	}
	for i := range inputs {
		runs := 1.0
		if i >= len(c.shapes)-c.params {
			runs = 2
		}
		got := grads[i].Value().Data().([]float32)
		for j := range inputs[i] {
			want := runs * fixture.Slope(&inputs[i][j], 1e-5, objective)
			if math.Abs(float64(got[j])-want) > 1e-4*(1+math.Abs(want)) {
				t.Fatalf("gradient of input %d [%d] = %v, central difference %v", i, j, got[j], want)
			}
		}
	}
}

func TestCrossEntropy(t *testing.T) {
	for _, c := range []struct {
		rows, vocab int
		targets     []int32
		scale       float32
	}{
		{1, 1, []int32{0}, 1},
		{1, 5, []int32{4}, 1},
		{4, 7, []int32{6, Ignore, 0, 3}, 1},
		{4, 33, []int32{6, Ignore, 0, 32}, 0.5},
		{2, 9, []int32{Ignore, Ignore}, 1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			g := NewGraph()
			// Logits are made by an operation, whose output becomes their gradient.
			h, table := randomTensor(random, tensor.Shape{c.rows, 3}), randomTensor(random, tensor.Shape{c.vocab, 3})
			p := g.Param("table", table, tensor.New(tensor.WithShape(c.vocab, 3), tensor.Of(tensor.Float32)))
			x := g.Param("h", h, nil)
			targets, backing := g.Indices("targets", c.rows)
			copy(backing, c.targets)
			ce := g.CrossEntropy(g.Logits(x.Node, p), targets)
			loss := G.Must(G.Mul(ce, G.NewConstant(c.scale)))
			grads, err := G.Grad(loss, x.Node, p.Node)
			if err != nil {
				t.Fatal(err)
			}
			run(t, g)
			in := [2][]float64{float64s(h), float64s(table)}
			want := func() float64 { return float64(c.scale) * refCrossEntropy(in[0], in[1], c.targets, c.rows, c.vocab, 3) }
			if got := float64(loss.Value().Data().(float32)); math.Abs(got-want()) > 1e-6 {
				t.Errorf("loss %v, want %v", got, want())
			}
			for i := range in {
				for j, v := range grads[i].Value().Data().([]float32) {
					if d := fixture.Slope(&in[i][j], 1e-5, want); math.Abs(float64(v)-d) > 1e-5 {
						t.Fatalf("gradient of input %d [%d] = %v, central difference %v", i, j, v, d)
					}
				}
			}
		})
	}
}

func TestEmbedding(t *testing.T) {
	const vocab, context, d = 5, 3, 2
	random := rand.New(rand.NewPCG(5, 6))
	g := NewGraph()
	table := g.Param("table", randomTensor(random, tensor.Shape{vocab, d}), tensor.New(tensor.WithShape(vocab, d), tensor.Of(tensor.Float32)))
	positions := g.Param("positions", randomTensor(random, tensor.Shape{context + 1, d}), tensor.New(tensor.WithShape(context+1, d), tensor.Of(tensor.Float32)))
	node, tokens := g.Indices("tokens", 2*context)
	copy(tokens, []int32{4, 0, 4, 4, 2, 1})
	out := g.Embedding(node, table, positions, context)
	weight := randomTensor(random, out.Shape())
	if err := g.Grad(weightedSum(g, out, weight), []Param{table, positions}); err != nil {
		t.Fatal(err)
	}
	run(t, g)
	wantTable, wantPositions := make([]float32, vocab*d), make([]float32, (context+1)*d)
	for r, id := range tokens {
		for j := range d {
			e, p := table.Node.Value().Data().([]float32), positions.Node.Value().Data().([]float32)
			if got, want := out.Value().Data().([]float32)[r*d+j], e[int(id)*d+j]+p[r%context*d+j]; got != want {
				t.Errorf("row %d column %d is %v, want %v", r, j, got, want)
			}
			wantTable[int(id)*d+j] += weight.Float32s()[r*d+j]
			wantPositions[r%context*d+j] += weight.Float32s()[r*d+j]
		}
	}
	closeTo(t, "token table's gradient", table.Grad.Float32s(), wantTable)
	closeTo(t, "position table's gradient", positions.Grad.Float32s(), wantPositions)
}

// A type is one more row of the token table, for values and gradients.
func TestTypedEmbedding(t *testing.T) {
	const vocab, context, d = 5, 3, 2
	random := rand.New(rand.NewPCG(5, 7))
	g := NewGraph()
	table := g.Param("table", randomTensor(random, tensor.Shape{vocab, d}), tensor.New(tensor.WithShape(vocab, d), tensor.Of(tensor.Float32)))
	positions := g.Param("positions", randomTensor(random, tensor.Shape{context, d}), nil)
	node, tokens := g.Indices("tokens", 2*context)
	copy(tokens, []int32{4, 0, 4, 4, 2, 1})
	typeNode, types := g.Indices("types", 2*context)
	copy(types, []int32{3, 3, 3, 4, 3, 0})
	out := g.TypedEmbedding(node, typeNode, table, positions, context)
	weight := randomTensor(random, out.Shape())
	if err := g.Grad(weightedSum(g, out, weight), []Param{table}); err != nil {
		t.Fatal(err)
	}
	run(t, g)
	want, wantTable := make([]float32, len(tokens)*d), make([]float32, vocab*d)
	e, p := table.Node.Value().Data().([]float32), positions.Node.Value().Data().([]float32)
	for r := range tokens {
		for j := range d {
			a, b := int(tokens[r])*d+j, int(types[r])*d+j
			want[r*d+j] = e[a] + p[r%context*d+j] + e[b]
			wantTable[a] += weight.Float32s()[r*d+j]
			wantTable[b] += weight.Float32s()[r*d+j]
		}
	}
	closeTo(t, "sums", out.Value().Data().([]float32), want)
	closeTo(t, "token table's gradient", table.Grad.Float32s(), wantTable)
}

// Grad returns an error if the gradient of a residual stream would be lost.
func TestLostResidualGradient(t *testing.T) {
	g := NewGraph()
	random := rand.New(rand.NewPCG(1, 1))
	grad := func() *tensor.Dense { return tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Float32)) }
	w := g.Param("w", randomTensor(random, tensor.Shape{2, 2}), grad())
	b := g.Param("b", randomTensor(random, tensor.Shape{2}), tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float32)))
	x := g.Linear(g.Param("x", randomTensor(random, tensor.Shape{2, 2}), nil).Node, w, b)
	other := g.Param("other", randomTensor(random, tensor.Shape{2, 2}), nil)
	loss := weightedSum(g, g.ResidualLinear(x, other.Node, w, b, 0), randomTensor(random, tensor.Shape{2, 2}))
	if err := g.Grad(loss, []Param{w, b}); err == nil {
		t.Error("no error although only the residual sum reads x")
	}
}

// stream is a residual stream of given values.
func stream(g *Graph, n, d int) *G.Node {
	var data []float32
	for _, v := range streamValues(n, d) {
		data = append(data, float32(v))
	}
	return g.Param("stream", tensor.New(tensor.WithShape(n, d), tensor.WithBacking(data)), nil).Node
}

func streamValues(n, d int) []float64 {
	x := make([]float64, n*d)
	for i := range x {
		x[i] = float64(i%7) - 3.5
	}
	return x
}

func run(t *testing.T, g *Graph) {
	t.Helper()
	m, err := NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
}

// weightedSum is a scalar whose gradient with respect to x is weight.
func weightedSum(g *Graph, x *G.Node, weight *tensor.Dense) *G.Node {
	return g.apply("WeightedSum", weighted(weight.Float32s()), nil, activation(x))
}

type weighted []float32

func (weighted) describe(int) description {
	return description{"Weighted sum", Loss, "Σ w·x", []string{"x"}, []string{"dx = w·dy"}}
}

func (w weighted) forward(out []float32, in []values) {
	var sum float64
	for i, x := range in[0].float {
		sum += float64(x) * float64(w[i])
	}
	out[0] = float32(sum)
}

func (w weighted) backward(_, dout []float32, in []values) {
	for i := range w {
		in[0].grad[i] = dout[0] * w[i]
	}
}

func randomTensor(r *rand.Rand, s tensor.Shape) *tensor.Dense {
	data := make([]float32, s.TotalSize())
	for i := range data {
		data[i] = float32(r.NormFloat64())
	}
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(data))
}

func float64s(t *tensor.Dense) (out []float64) {
	for _, v := range t.Float32s() {
		out = append(out, float64(v))
	}
	return out
}

func closeTo(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-5 {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}
