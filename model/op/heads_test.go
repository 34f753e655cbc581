package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tinygpt/internal/fixture"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Rows may be picked twice or never, and are added up.
func TestRows(t *testing.T) {
	for _, c := range []struct {
		n, d, groups int
		index        []int32
	}{
		{1, 1, 1, []int32{0}},
		{5, 3, 1, []int32{4, 0, 4}},
		{6, 17, 2, []int32{0, 5, 2, 3, 5, 2}},
		{4, 2, 3, []int32{0, 1, 3, 3, 0, 1}},
	} {
		checkGradients(t, gradCase{
			name:   fmt.Sprint("Rows", c),
			shapes: []tensor.Shape{{c.n, c.d}},
			build: func(g *Graph, in []*G.Node, _ []Param) *G.Node {
				node, index := g.Indices("rows", len(c.index))
				copy(index, c.index)
				return g.Rows(in[0], node, c.groups)
			},
			want: func(in [][]float64) []float64 {
				r := len(c.index) / c.groups
				out := make([]float64, r*c.d)
				for i, row := range c.index {
					for j := range c.d {
						out[i%r*c.d+j] += in[0][int(row)*c.d+j]
					}
				}
				return out
			},
		})
	}
}

// The loss of questions with different numbers of choices, and its gradient, are those of a softmax
// over each question's own scores.
func TestChoices(t *testing.T) {
	scores := []float32{0.5, -1, 2, 0.25, 3, -2}
	questions := [][]int{{3, 0}, {1, 2, 4}, {5}} // every score once
	targets := []int32{1, 0, 0}
	g := NewGraph()
	x := g.Param("scores", tensor.New(tensor.WithShape(6, 1), tensor.WithBacking(slices.Clone(scores))), nil)
	layout, index := g.Indices("layout", 9)
	for i := range index {
		index[i] = None
	}
	for q, list := range questions {
		for c, s := range list {
			index[q*3+c] = int32(s)
		}
	}
	target, backing := g.Indices("targets", 3)
	copy(backing, targets)
	loss := g.CrossEntropy(g.Choices(x.Node, layout, 3), target)
	grads, err := G.Grad(loss, x.Node)
	if err != nil {
		t.Fatal(err)
	}
	run(t, g)
	want, wantGrad := 0.0, make([]float64, len(scores))
	for q, list := range questions {
		var sum float64
		for _, s := range list {
			sum += math.Exp(float64(scores[s]))
		}
		for c, s := range list {
			p := math.Exp(float64(scores[s])) / sum
			wantGrad[s] = p / 3
			if c == int(targets[q]) {
				want -= math.Log(p) / 3
				wantGrad[s] -= 1.0 / 3
			}
		}
	}
	if got := float64(loss.Value().Data().(float32)); math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %v, want %v", got, want)
	}
	for i, v := range grads[0].Value().Data().([]float32) {
		if math.Abs(float64(v)-wantGrad[i]) > 1e-6 {
			t.Errorf("gradient of score %d is %v, want %v", i, v, wantGrad[i])
		}
	}
}

func TestSquaredError(t *testing.T) {
	nan := float32(math.NaN())
	for _, targets := range [][]float32{{1}, {1, nan, -2}, {nan, nan}} {
		n := len(targets)
		checkScalarGradients(t, fmt.Sprint("SquaredError", targets), tensor.Shape{n, 1}, func(g *Graph, x *G.Node) *G.Node {
			node, backing := g.Floats("targets", n)
			copy(backing, targets)
			return g.SquaredError(x, node)
		}, func(x []float64) float64 {
			sum, counted := 0.0, 0.0
			for i, v := range targets {
				if v == v {
					sum += (x[i] - float64(v)) * (x[i] - float64(v))
					counted++
				}
			}
			return sum / max(counted, 1)
		})
	}
}

// checkScalarGradients compares 0.5 times a scalar operation, and its gradient, with
// the slow function that it must equal.
func checkScalarGradients(t *testing.T, name string, shape tensor.Shape, build func(g *Graph, x *G.Node) *G.Node, want func(x []float64) float64) {
	t.Helper()
	g := NewGraph()
	value := randomTensor(rand.New(rand.NewPCG(7, 8)), shape)
	x := g.Param("x", value, nil)
	loss := G.Must(G.Mul(build(g, x.Node), G.NewConstant(float32(0.5))))
	grads, err := G.Grad(loss, x.Node)
	if err != nil {
		t.Fatal(err)
	}
	run(t, g)
	in := float64s(value)
	if got := float64(loss.Value().Data().(float32)); math.Abs(got-0.5*want(in)) > 1e-6 {
		t.Errorf("%s: %v, want %v", name, got, 0.5*want(in))
	}
	for i, v := range grads[0].Value().Data().([]float32) {
		if d := 0.5 * fixture.Slope(&in[i], 1e-5, func() float64 { return want(in) }); math.Abs(float64(v)-d) > 1e-5 {
			t.Errorf("%s: gradient [%d] = %v, central difference %v", name, i, v, d)
		}
	}
}

// Two losses over one matrix of states, weighted: its gradient is the sum of both,
// as fine-tuning's L2 + λ·L1 needs it.
func TestTwoLossesOverOneState(t *testing.T) {
	const n, d, v, lambda = 5, 3, 7, 0.5
	random := rand.New(rand.NewPCG(9, 10))
	g := NewGraph()
	states, table := randomTensor(random, tensor.Shape{n, d}), randomTensor(random, tensor.Shape{v, d})
	grad := func() *tensor.Dense { return tensor.New(tensor.WithShape(v, d), tensor.Of(tensor.Float32)) }
	x := g.Param("states", states, nil)
	p := g.Param("table", table, grad())
	all, allTargets := g.Indices("all", n)
	copy(allTargets, []int32{0, 6, Ignore, 2, 2})
	picked, rows := g.Indices("rows", 2)
	copy(rows, []int32{4, 1})
	two, twoTargets := g.Indices("two", 2)
	copy(twoTargets, []int32{3, 5})
	l1 := g.CrossEntropy(g.Logits(x.Node, p), all)
	l2 := g.CrossEntropy(g.Logits(g.Rows(x.Node, picked, 1), g.Param("same table", table, p.Grad)), two)
	l3 := G.Must(G.Add(l2, G.Must(G.Mul(l1, G.NewConstant(float32(lambda))))))
	grads, err := G.Grad(l3, x.Node)
	if err != nil {
		t.Fatal(err)
	}
	run(t, g)
	in, e := float64s(states), float64s(table)
	want := func() float64 {
		two := append(slices.Clone(in[4*d:5*d]), in[d:2*d]...)
		return refCrossEntropy(two, e, twoTargets, 2, v, d) + lambda*refCrossEntropy(in, e, allTargets, n, v, d)
	}
	if got := float64(l3.Value().Data().(float32)); math.Abs(got-want()) > 1e-6 {
		t.Errorf("L3 = %v, want %v", got, want())
	}
	for j, got := range grads[0].Value().Data().([]float32) {
		if d := fixture.Slope(&in[j], 1e-5, want); math.Abs(float64(got)-d) > 1e-5 {
			t.Fatalf("gradient [%d] = %v, central difference %v", j, got, d)
		}
	}
}

// Graphs that share an arena compute what they compute alone, in any order, in the memory of the
// largest one.
func TestArena(t *testing.T) {
	build := func(n int, arena *Arena) (g *Graph, m *Machine, sum *G.Node) {
		random := rand.New(rand.NewPCG(1, uint64(n)))
		g = NewGraph()
		if arena != nil {
			g.Share(arena)
		}
		x := g.Param("x", randomTensor(random, tensor.Shape{n, 8}), nil)
		w := g.Param("w", randomTensor(random, tensor.Shape{8, 8}), tensor.New(tensor.WithShape(8, 8), tensor.Of(tensor.Float32)))
		b := g.Param("b", randomTensor(random, tensor.Shape{8}), tensor.New(tensor.WithShape(8), tensor.Of(tensor.Float32)))
		sum = weightedSum(g, g.Linear(g.Linear(x.Node, w, b), w, b), randomTensor(random, tensor.Shape{n, 8}))
		if err := g.Grad(sum, []Param{w, b}); err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(g)
		if err != nil {
			t.Fatal(err)
		}
		g.Plan(m)
		return g, m, sum
	}
	result := func(m *Machine, sum *G.Node) float32 {
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		return sum.Value().Data().(float32)
	}
	var arena Arena
	large, largeVM, largeSum := build(50, &arena)
	small, smallVM, smallSum := build(7, &arena)
	_, aloneVM, aloneSum := build(7, nil)
	want, wantLarge := result(aloneVM, aloneSum), result(largeVM, largeSum)
	for range 2 {
		if got := result(smallVM, smallSum); got != want {
			t.Errorf("%v in shared memory, %v alone", got, want)
		}
		if got := result(largeVM, largeSum); got != wantLarge {
			t.Errorf("%v after another graph, %v before", got, wantLarge)
		}
	}
	if small.Bytes() >= 4*7*8 || large.Bytes() < 4*50*8 {
		t.Errorf("the small graph has %d bytes of its own, the large one %d", small.Bytes(), large.Bytes())
	}
}
