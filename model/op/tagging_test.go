package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

func grad(shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
}

// Rows of two tables lie side by side, and each gets the gradients of its places. The
// second run's gradient adds to the first one's.
func TestLookups(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	g := NewGraph()
	words := g.Param("words", randomTensor(random, tensor.Shape{4, 3}), grad(tensor.Shape{4, 3}))
	shapes := g.Param("shapes", randomTensor(random, tensor.Shape{2, 2}), grad(tensor.Shape{2, 2}))
	frozen := g.Param("frozen", randomTensor(random, tensor.Shape{2, 1}), nil)
	i, wordIndex := g.Indices("i", 6)
	j, shapeIndex := g.Indices("j", 2)
	k, _ := g.Indices("k", 2)
	copy(wordIndex, []int32{3, 0, 3, 1, 1, 1})
	copy(shapeIndex, []int32{1, 0})
	out := g.Lookups(Table{i, words, 3}, Table{j, shapes, 1}, Table{k, frozen, 1})
	if !out.Shape().Eq(tensor.Shape{2, 12}) {
		t.Fatalf("shape %v", out.Shape())
	}
	weight := randomTensor(random, out.Shape())
	if err := g.Grad(weightedSum(g, out, weight), []Param{words, shapes, frozen}); err != nil {
		t.Fatal(err)
	}
	run(t, g)
	var want []float32
	wantWords, wantShapes := make([]float32, 12), make([]float32, 4)
	value := func(p Param) []float32 { return p.Node.Value().Data().([]float32) }
	for r := range 2 {
		at := func() []float32 { return weight.Float32s()[len(want):] }
		for _, row := range wordIndex[3*r : 3*r+3] {
			kernel.Add(wantWords[3*row:3*row+3], wantWords[3*row:3*row+3], at())
			want = append(want, value(words)[3*row:3*row+3]...)
		}
		row := shapeIndex[r]
		kernel.Add(wantShapes[2*row:2*row+2], wantShapes[2*row:2*row+2], at())
		want = append(want, value(shapes)[2*row:2*row+2]...)
		want = append(want, value(frozen)[0])
	}
	closeTo(t, "output", out.Value().Data().([]float32), want)
	closeTo(t, "the words' gradient", words.Grad.Float32s(), wantWords)
	closeTo(t, "the shapes' gradient", shapes.Grad.Float32s(), wantShapes)
}

// The loss is the mean over the tokens of sentences between rows that don't count, and
// its gradients are differences.
func TestCRF(t *testing.T) {
	const n, T = 8, 3
	random := rand.New(rand.NewPCG(5, 6))
	g := NewGraph()
	scores := g.Param("scores", randomTensor(random, tensor.Shape{n, T}), nil)
	w := g.Param("w", randomTensor(random, tensor.Shape{T, T}), grad(tensor.Shape{T, T}))
	b := g.Param("b", randomTensor(random, tensor.Shape{T}), grad(tensor.Shape{T}))
	chain := g.Param("chain", randomTensor(random, tensor.Shape{T + 2, T}), grad(tensor.Shape{T + 2, T}))
	node, targets := g.Indices("targets", n)
	copy(targets, []int32{Ignore, 2, 0, 1, Ignore, Ignore, 1, Ignore})
	z := g.Linear(scores.Node, w, b)
	g.Keep(z)
	loss := g.CRF(z, chain, node)
	if err := g.Grad(loss, []Param{w, b, chain}); err != nil {
		t.Fatal(err)
	}
	run(t, g)
	value := func() float64 {
		x, a := make([]float32, n*T), chain.Node.Value().Data().([]float32)
		kernel.Product{M: n, N: T, K: T, A: scores.Node.Value().Data().([]float32), B: w.Node.Value().Data().([]float32), Bias: b.Node.Value().Data().([]float32), C: x}.Compute()
		return (kernel.CRF(x[T:4*T], a, targets[1:4], T) + kernel.CRF(x[6*T:7*T], a, targets[6:7], T)) / 4
	}
	if got := float64(loss.Value().Data().(float32)); math.Abs(got-value()) > 1e-6 {
		t.Errorf("loss %v, want %v", got, value())
	}
	for what, p := range map[string]Param{"w": w, "b": b, "chain": chain} {
		x := p.Node.Value().Data().([]float32)
		for i := range x {
			if d := fixture.Slope(&x[i], 1.0/128, value); math.Abs(d-float64(p.Grad.Float32s()[i])) > 1e-3 {
				t.Errorf("gradient %d of %s is %v, central difference %v", i, what, p.Grad.Float32s()[i], d)
			}
		}
	}
}
