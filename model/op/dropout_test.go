package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// A mask is the same in the forward and the backward pass, differs between places and between
// seeds, and keeps the mean.
func TestDropout(t *testing.T) {
	const n, d, p = 64, 64, 0.25
	g := NewGraph()
	ones := tensor.New(tensor.WithShape(n, d), tensor.Of(tensor.Float32))
	ones.Memset(float32(1))
	x := g.Param("x", ones, nil)
	first, second := g.Dropout(x.Node, p), g.Dropout(x.Node, p)
	loss := weightedSum(g, first, ones)
	grads, err := G.Grad(loss, x.Node)
	if err != nil {
		t.Fatal(err)
	}
	data := func(n *G.Node) []float32 { return n.Value().Data().([]float32) }
	mask := func(seed uint64) []float32 {
		g.SetDropoutSeed(seed)
		run(t, g)
		return append([]float32{}, data(first)...)
	}
	a := mask(1)
	closeTo(t, "gradient", data(grads[0]), a)
	var kept, both, sameAsSeed2 int
	b := append([]float32{}, data(second)...)
	c := mask(2)
	for i := range a {
		if a[i] != 0 && math.Abs(float64(a[i])-1/(1-p)) > 1e-6 {
			t.Fatalf("element %d is %v, want 0 or %v", i, a[i], 1/(1-p))
		}
		if a[i] != 0 {
			kept++
			if b[i] != 0 {
				both++
			}
			if c[i] != 0 {
				sameAsSeed2++
			}
		}
	}
	// Kept: mean 3072, σ 28; kept twice: mean 2304, σ 32. Six σ.
	if kept < 3072-168 || kept > 3072+168 {
		t.Errorf("%d of %d kept, expected about %v", kept, n*d, n*d*(1-p))
	}
	for what, got := range map[string]int{"a second place": both, "another seed": sameAsSeed2} {
		if got < 2304-192 || got > 2304+192 {
			t.Errorf("%d kept in %s too, expected about 2304 if independent", got, what)
		}
	}
}

// Dropout before a residual sum masks what is added and its gradient in the same way.
func TestResidualDropout(t *testing.T) {
	const n, d, f, p = 6, 5, 7, 0.4
	// results returns the output, and the gradients of all inputs but the stream's.
	results := func(linear bool, dropout float32, weight []float32) (out []float32, grads [][]float32) {
		random := rand.New(rand.NewPCG(11, 12))
		g := NewGraph()
		g.SetDropoutSeed(3)
		var params []Param
		for i, s := range []tensor.Shape{{n, d}, {d, f}, {f}, {f, d}, {d}, {d, d}} {
			params = append(params, g.Param(fmt.Sprint("p", i), randomTensor(random, s), tensor.New(tensor.WithShape(s...), tensor.Of(tensor.Float32))))
		}
		h := params[0].Node
		var sum *G.Node
		if x := stream(g, n, d); linear {
			sum = g.ResidualLinear(x, h, params[5], params[4], dropout)
		} else {
			sum = g.ResidualFeedForward(x, h, params[1], params[2], params[3], params[4], kernel.TanhGELU, dropout)
		}
		loss := weightedSum(g, sum, tensor.New(tensor.WithShape(n, d), tensor.WithBacking(weight)))
		dh, err := G.Grad(loss, h)
		if err != nil {
			t.Fatal(err)
		}
		run(t, g)
		for _, p := range params[1:] {
			grads = append(grads, p.Grad.Float32s())
		}
		return sum.Value().Data().([]float32), append(grads, dh[0].Value().Data().([]float32))
	}
	x := streamValues(n, d)
	for _, linear := range []bool{false, true} {
		weight := randomTensor(rand.New(rand.NewPCG(13, 14)), tensor.Shape{n, d}).Float32s()
		masked, grads := results(linear, p, slices.Clone(weight))
		plain, _ := results(linear, 0, slices.Clone(weight))
		dropped := 0
		for i := range weight {
			part := (float64(masked[i]) - x[i]) / (float64(plain[i]) - x[i])
			if math.Abs(part) > 1e-4 && math.Abs(part-1/(1-p)) > 1e-3 {
				t.Fatalf("element %d is %v of what is added, want 0 or %v", i, part, 1/(1-p))
			}
			if math.Abs(part) < 1e-4 {
				dropped++
			}
			weight[i] *= float32(math.Round(part*(1-p)) / (1 - p))
		}
		if dropped == 0 || dropped == len(weight) {
			t.Fatalf("%d of %d elements dropped", dropped, len(weight))
		}
		_, want := results(linear, 0, weight)
		for i := range want {
			closeTo(t, fmt.Sprintf("linear %v: gradient %d", linear, i), grads[i], want[i])
		}
	}
}
