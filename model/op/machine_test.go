package op

import (
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/internal/expect"
)

// twoLosses is a small network with a residual stream, and a difference of two losses
// that Gorgonia's own operations make.
type twoLosses struct {
	graph      *Graph
	loss, grad *G.Node
	input      []float32
	params     []Param
}

func newTwoLosses(t *testing.T) *twoLosses {
	t.Helper()
	const n, d = 6, 8
	random := rand.New(rand.NewPCG(1, 2))
	g := NewGraph()
	l := &twoLosses{graph: g}
	param := func(name string, shape ...int) Param {
		p := g.Param(name, randomTensor(random, shape), tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32)))
		l.params = append(l.params, p)
		return p
	}
	input := randomTensor(random, tensor.Shape{n, d})
	l.input = input.Float32s()
	x := g.Param("x", input, nil).Node
	h := g.LayerNorm(x, param("gain", d), param("shift", d), 1e-5)
	h = g.CausalSelfAttention(g.Linear(h, param("w", d, 3*d), param("b", 3*d)), 2, n, 0)
	y := g.ResidualLinear(x, h, param("v", d, d), param("c", d), 0)
	loss := func(x *G.Node) *G.Node {
		targets, ids := g.Indices("targets", n)
		copy(ids, []int32{0, 4, 2, Ignore, 1, 3})
		return g.CrossEntropy(g.Logits(x, param("table", 5, d)), targets)
	}
	l.loss = G.Must(G.Sub(loss(y), G.Must(G.Mul(loss(y), G.NewConstant(float32(0.25))))))
	grads, err := G.Grad(l.loss, x)
	if err != nil {
		t.Fatal(err)
	}
	l.grad = grads[0]
	return l
}

// results are the bits that a run computes: the loss and all gradients.
func (l *twoLosses) results() (all []float32) {
	all = append(all, l.loss.Value().Data().(float32))
	all = append(all, l.grad.Value().Data().([]float32)...)
	for _, p := range l.params {
		all = append(all, p.Grad.Float32s()...)
	}
	return all
}

// Gorgonia's tape machine and this package's give the same bits, from run to run.
func TestMachineEqualsTapeMachine(t *testing.T) {
	tape, ours := newTwoLosses(t), newTwoLosses(t)
	reference := G.NewTapeMachine(tape.graph.Expr)
	defer reference.Close()
	m, err := NewMachine(ours.graph)
	if err != nil {
		t.Fatal(err)
	}
	var before []float32
	for range 3 { // parameters' gradients add up
		reference.Reset()
		if err := reference.RunAll(); err != nil {
			t.Fatal(err)
		}
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		got, want := ours.results(), tape.results()
		if !slices.Equal(got, want) {
			t.Errorf("%v\nfrom Gorgonia's tape machine:\n%v", got, want)
		}
		if slices.Equal(got, before) {
			t.Error("another input, the same result")
		}
		before = got
		tape.input[3]++
		ours.input[3]++
	}
}

// A graph of this package's operations runs without allocating anything.
func TestMachineAllocatesNothing(t *testing.T) {
	g := NewGraph()
	random := rand.New(rand.NewPCG(3, 4))
	x := g.Param("x", randomTensor(random, tensor.Shape{9, 8}), nil)
	w := g.Param("w", randomTensor(random, tensor.Shape{8, 8}), tensor.New(tensor.WithShape(8, 8), tensor.Of(tensor.Float32)))
	b := g.Param("b", randomTensor(random, tensor.Shape{8}), tensor.New(tensor.WithShape(8), tensor.Of(tensor.Float32)))
	if err := g.Grad(weightedSum(g, g.Linear(x.Node, w, b), randomTensor(random, tensor.Shape{9, 8})), []Param{w, b}); err != nil {
		t.Fatal(err)
	}
	m, err := NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	g.Plan(m)
	allocations := testing.AllocsPerRun(20, func() {
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 {
		t.Errorf("a run allocates %v times", allocations)
	}
}

// An error names the leaf that has no value.
func TestMachineWithoutInput(t *testing.T) {
	g := NewGraph()
	x := G.NewMatrix(g.Expr, tensor.Float32, G.WithShape(2, 2), G.WithName("forgotten"))
	G.Must(G.Add(x, x))
	m, err := NewMachine(g)
	if err != nil {
		t.Fatal(err)
	}
	expect.Error(t, m.Run(), "forgotten :: Matrix float32 has no value")
}

// Each parameter's gradient is ready once in a run, when it is what the whole run makes of
// it; also if the run before was given up.
func TestReady(t *testing.T) {
	l := newTwoLosses(t)
	m, err := NewMachine(l.graph)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		early := map[*tensor.Dense][]float32{}
		l.graph.SetReady(func(grad *tensor.Dense) {
			if early[grad] != nil {
				t.Error("a gradient is ready twice")
			}
			early[grad] = slices.Clone(grad.Float32s())
		})
		if err := m.Run(); err != nil {
			t.Fatal(err)
		}
		for i, p := range l.params {
			if !slices.Equal(early[p.Grad], p.Grad.Float32s()) {
				t.Errorf("parameter %d: its gradient isn't ready, or changed later", i)
			}
		}
	}
	l.graph.SetReady(nil)
	if err := m.Run(); err != nil {
		t.Fatal(err)
	}
}
