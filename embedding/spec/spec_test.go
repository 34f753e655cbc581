package spec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"tinygpt/model/kernel"
)

func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64() / 2)) // float32 so that kernels get the same
	}
	return x
}

// One-hot · W is the lookup of rows.
func TestOneHotIsLookup(t *testing.T) {
	const v, d = 5, 3
	words := []int{4, 0, 4, 2}
	table := random(rand.New(rand.NewPCG(1, 1)), v*d)
	got, err := Lookup(words, v, d, table)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range words {
		for j := range d {
			if x := got[i*d+j]; x != table[w*d+j] {
				t.Errorf("row %d of one-hot · W has %v where row %d of W has %v", i, x, w, table[w*d+j])
			}
		}
	}
}

// differences fails unless the gradients are central differences of the loss, in float64.
func differences(t *testing.T, g *Graph, tables ...[]float64) {
	t.Helper()
	_, grads, err := g.Run(tables...)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	for n, table := range tables {
		for i := range table {
			was := table[i]
			table[i] = was + h
			up, _, err := g.Run(tables...)
			if err != nil {
				t.Fatal(err)
			}
			table[i] = was - h
			down, _, _ := g.Run(tables...)
			table[i] = was
			if want := (up - down) / (2 * h); math.Abs(grads[n][i]-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("table %d, number %d: gradient %v, differences %v", n, i, grads[n][i], want)
			}
		}
	}
}

// pieces are two pieces of a text with a line of one word, a word that is twice in a window,
// and a noise word that is a target.
func pieces(words int32) []kernel.Examples {
	return []kernel.Examples{
		{Inputs: []int32{0, 1, 1, 2, 3}, First: 1, Targets: []int32{words + 1, words + 1, words + 2}, From: []int32{0, 0, 1}, To: []int32{4, 5, 4},
			Noise: []int32{words + 1, words + 4, words + 4, words}},
		{Inputs: []int32{4, 5}, First: 0, Targets: []int32{words + 4, words + 5}, From: []int32{0, 1}, To: []int32{1, 2}, Noise: []int32{words + 2, words + 3, words, words + 5}},
		{Inputs: []int32{5, 0, 5}, First: 1, Targets: []int32{words}, From: []int32{0}, To: []int32{3}, Noise: []int32{words, words + 1, words + 2, words + 3}},
	}
}

const words = 6

func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	const d = 3
	for name, s := range map[string]kernel.Sampling{"skip-gram": {Negatives: 3}, "CBOW": {Negatives: 3, CBOW: true}} {
		b := BatchOf(pieces(words), words, s)
		for objective, build := range map[string]func(Batch, int) (*Graph, error){"negative sampling": NegativeSampling, "softmax": Softmax} {
			t.Run(name+", "+objective, func(t *testing.T) {
				g, err := build(b, d)
				if err != nil {
					t.Fatal(err)
				}
				differences(t, g, random(r, words*d), random(r, words*d))
			})
		}
	}
	t.Run("GloVe", func(t *testing.T) {
		g, err := GloVe(Counts{words, []int{0, 1, 1, 5}, []int{1, 0, 2, 5}, []float64{1, 0.3, 0.5, 1}, []float64{0, 1.5, -0.7, 3}}, d)
		if err != nil {
			t.Fatal(err)
		}
		differences(t, g, random(r, words*d), random(r, words*d), random(r, words), random(r, words))
	})
}

// The kernels compute the same loss and the same gradients on the same examples.
func TestKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for name, s := range map[string]kernel.Sampling{"skip-gram": {Negatives: 5}, "CBOW": {Negatives: 5, CBOW: true}} {
		for _, d := range []int{1, 7, 16, 20} {
			t.Run(fmt.Sprint(name, ", ", d), func(t *testing.T) {
				list := pieces(words)
				g, err := NegativeSampling(BatchOf(list, words, s), d)
				if err != nil {
					t.Fatal(err)
				}
				in, out := random(r, words*d), random(r, words*d)
				loss, grads, err := g.Run(in, out)
				if err != nil {
					t.Fatal(err)
				}
				table := kernel.NewTable(2*words, d)
				fill(table, in, out)
				if got, _ := kernel.SamplingLoss(table, list, s); math.Abs(got-loss) > 1e-5*loss {
					t.Errorf("the kernels' loss is %v, the graph's %v", got, loss)
				}
				rows := 0
				for _, e := range list {
					rows += len(e.Inputs) + len(e.Targets) + len(e.Noise)
				}
				steps := make([]float32, rows*table.Stride)
				kernel.NegativeSampling(steps, table, list, s, 1)
				got := make([]float64, 2*words*d)
				for _, e := range list {
					for _, rows := range [][]int32{e.Inputs, e.Targets, e.Noise} {
						for _, row := range rows {
							for j := range d {
								got[int(row)*d+j] -= float64(steps[j])
							}
							steps = steps[table.Stride:]
						}
					}
				}
				for i, x := range got {
					want := grads[i/(words*d)][i%(words*d)]
					if math.Abs(x-want) > 1e-5*(1+math.Abs(want)) {
						t.Errorf("row %d, number %d: the kernels' gradient is %v, the graph's %v", i/d, i%d, x, want)
					}
				}
			})
		}
	}
}

func fill(t kernel.Table, in, out []float64) {
	for i, x := range append(append([]float64(nil), in...), out...) {
		t.Row(i / t.D)[i%t.D] = float32(x)
	}
}

// GloVe's kernel makes AdaGrad steps of the graph's gradient: the first step of a cell
// divides by √1, so it is the gradient times the rate.
func TestGloVeKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	const d = 7
	in, out, b, b2 := random(r, words*d), random(r, words*d), random(r, words), random(r, words)
	g, err := GloVe(Counts{words, []int{2}, []int{5}, []float64{0.6}, []float64{1.2}}, d)
	if err != nil {
		t.Fatal(err)
	}
	loss, grads, err := g.Run(in, out, b, b2)
	if err != nil {
		t.Fatal(err)
	}
	table := kernel.NewAdaGradTable(2*words, d+2)
	for i := range words {
		w, c := table.Row(i), table.Row(words+i)
		for j := range d {
			w[j], c[j] = float32(in[i*d+j]), float32(out[i*d+j])
		}
		w[d], w[d+1], c[d], c[d+1] = float32(b[i]), 1, 1, float32(b2[i])
		table.Squares(i)[d+1], table.Squares(words + i)[d] = float32(math.Inf(1)), float32(math.Inf(1))
	}
	before := append([]float32(nil), table.Data...)
	rates := make([]float32, table.Stride)
	for j := range d + 2 {
		rates[j] = 1
	}
	cells := kernel.Cells{List: []kernel.Cell{{I: 2, J: 5, F: 0.6, Log: 1.2}}, Step: 1, Words: words}
	if cost := kernel.GloVe(table, rates, []kernel.Cells{cells}); math.Abs(cost-loss) > 1e-5*loss {
		t.Errorf("the kernel's cost is %v, the graph's %v", cost, loss)
	}
	moved := func(row, j int) float64 { return float64(before[2*row*table.Stride+j] - table.Row(row)[j]) }
	for i := range words {
		for j := range d {
			for side, row := range []int{i, words + i} {
				if got, want := moved(row, j), grads[side][i*d+j]; math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
					t.Errorf("row %d, number %d moved by %v, the gradient is %v", row, j, got, want)
				}
			}
		}
		if got, want := moved(i, d), grads[2][i]; math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("bias %d moved by %v, the gradient is %v", i, got, want)
		}
		if got, want := moved(words+i, d+1), grads[3][i]; math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("context bias %d moved by %v, the gradient is %v", i, got, want)
		}
	}
}
