package project

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/kernel"
)

// golden is what scikit-learn makes of testdata/vectors.f32: see
// study/verify/python/tsne_golden.py.
type golden struct {
	Rows, Dim int
	Shares    [2]float64
	PCA       [][2]float64 // without signs, of the first rows
	TSNE      []struct{ Perplexity, KL, Trustworthiness float64 }
}

func readGolden(t *testing.T) (Matrix, golden) {
	t.Helper()
	var want golden
	text, err := os.ReadFile("testdata/golden.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw := expect.File(t, "testdata/vectors.f32")
	m := Matrix{want.Rows, want.Dim, make([]float32, want.Rows*want.Dim)}
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, m.Values); err != nil {
		t.Fatal(err)
	}
	return m, want
}

func pca(t *testing.T, m Matrix) (points []Point, shares [2]float64) {
	t.Helper()
	points, shares, err := PCA(m)
	if err != nil {
		t.Fatal(err)
	}
	return points, shares
}

func TestPCA(t *testing.T) {
	m, want := readGolden(t)
	points, shares := pca(t, m)
	for i, p := range want.PCA {
		if math.Abs(math.Abs(points[i].X)-p[0]) > 1e-4 || math.Abs(math.Abs(points[i].Y)-p[1]) > 1e-4 {
			t.Errorf("row %d is at %v, scikit-learn has %v", i, points[i], p)
		}
	}
	for c := range 2 {
		if math.Abs(shares[c]-want.Shares[c]) > 1e-6 {
			t.Errorf("shares of the variance %v, scikit-learn has %v", shares, want.Shares)
		}
	}
	if _, _, err := PCA(Matrix{1, 3, make([]float32, 3)}); err == nil {
		t.Error("a plane of one row")
	}
	m.Values[5] = float32(math.NaN())
	if _, _, err := PCA(m); err == nil {
		t.Error("a plane of NaN")
	}
}

// The cost is at most 2 % above that of scikit-learn's exact method, and neighbourhoods
// are kept as well.
func TestTSNE(t *testing.T) {
	m, want := readGolden(t)
	start, _ := pca(t, m)
	for _, want := range want.TSNE {
		for _, from := range [][]Point{start, nil} {
			o := DefaultTSNE()
			o.Perplexity, o.Start = want.Perplexity, from
			points, kl, err := o.Run(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			trust := trustworthiness(m, points, 12)
			t.Logf("perplexity %v, from PCA %v: KL %.4f, trustworthiness %.4f; scikit-learn %.4f, %.4f", want.Perplexity, from != nil, kl, trust, want.KL, want.Trustworthiness)
			if from != nil && (kl > 1.02*want.KL || trust < want.Trustworthiness-0.01) {
				t.Errorf("perplexity %v: KL %.4f, trustworthiness %.4f; scikit-learn has %.4f, %.4f", want.Perplexity, kl, trust, want.KL, want.Trustworthiness)
			}
		}
	}
}

// Turning keeps distances, and makes the spread along x the largest, without slant.
func TestTurned(t *testing.T) {
	place := []float64{-3, -1, 1, 3, -9, -2.5, 2, 9.5} // x, then y
	points := turned(place)
	var xx, xy, yy float64
	for i, p := range points {
		xx, xy, yy = xx+p.X*p.X, xy+p.X*p.Y, yy+p.Y*p.Y
		if d := math.Hypot(p.X, p.Y) - math.Hypot(place[i], place[4+i]); math.Abs(d) > 1e-12 {
			t.Errorf("point %d is %v further away", i, d)
		}
	}
	if math.Abs(xy) > 1e-9 || xx <= yy {
		t.Errorf("spread %v along x, %v along y, slant %v", xx, yy, xy)
	}
}

// trustworthiness is Venna and Kaski's (2001), of k neighbours: 1 minus a penalty for
// each neighbour in the plane by how far from being one it is among the rows.
func trustworthiness(m Matrix, points []Point, k int) float64 {
	n := m.Rows
	var penalty float64
	order := func(i int, distance func(j int) float64) []int {
		var js []int
		for j := range n {
			if j != i {
				js = append(js, j)
			}
		}
		slices.SortStableFunc(js, func(a, b int) int { return int(math.Copysign(1, distance(a)-distance(b))) })
		return js
	}
	for i := range n {
		rank := make([]int, n)
		for r, j := range order(i, func(j int) float64 {
			var sum float64
			for c, x := range m.Row(i) {
				d := float64(x - m.Row(j)[c])
				sum += d * d
			}
			return sum
		}) {
			rank[j] = r + 1
		}
		for _, j := range order(i, func(j int) float64 { return math.Hypot(points[i].X-points[j].X, points[i].Y-points[j].Y) })[:k] {
			penalty += max(float64(rank[j]-k), 0)
		}
	}
	return 1 - penalty*2/float64(n*k*(2*n-3*k-1))
}

// The points have the same bits on any number of threads, and others with another seed.
func TestTSNEDeterministic(t *testing.T) {
	defer kernel.SetThreads(kernel.Threads())
	m, _ := readGolden(t)
	m.Rows = 100
	run := func(threads int, seed uint64) []Point {
		kernel.SetThreads(threads)
		o := DefaultTSNE()
		o.Perplexity, o.Iterations, o.Seed = 8, 60, seed
		points, _, err := o.Run(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		return points
	}
	first := run(1, 1)
	for _, threads := range []int{2, 3, 7} {
		if !slices.Equal(run(threads, 1), first) {
			t.Errorf("other points with %d threads", threads)
		}
	}
	if slices.Equal(run(1, 2), first) {
		t.Error("the same points with another seed")
	}
}

// The gradient that Run steps along is that of the cost, by finite differences.
func TestTSNEGradient(t *testing.T) {
	m, _ := readGolden(t)
	m.Rows = 40
	n := m.Rows
	p := similarities(m, 8)
	var total float64
	for i, x := range p {
		total += float64(x)
		if p[i%n*n+i/n] != x {
			t.Fatal("p isn't symmetric")
		}
	}
	if math.Abs(total-1) > 1e-5 {
		t.Errorf("the sum of p is %v", total)
	}
	r := rand.New(rand.NewPCG(1, 1))
	place := make([]float64, 2*n)
	for i := range place {
		place[i] = float64(float32(r.NormFloat64()))
	}
	points, attract, repel := make([]float32, 2*n), make([]float32, 2*n), make([]float32, 2*n)
	narrow(points, place)
	z := kernel.StudentForces(attract, repel, points, p, n)
	for i := range place {
		want, got := fixture.Slope(&place[i], 1e-4, func() float64 { return cost(p, place, n) }), 4*(float64(attract[i])-float64(repel[i])/z)
		if math.Abs(got-want) > 1e-5 {
			t.Errorf("gradient %d is %v, by differences %v", i, got, want)
		}
	}
}

// Each row's probabilities have the perplexity, also where rows are the same or far.
func TestConditional(t *testing.T) {
	m, _ := readGolden(t)
	for i := range 10 {
		copy(m.Row(i), m.Row(0))
	}
	for j := range m.Row(20) {
		m.Row(20)[j] *= 1e4
	}
	d := squaredDistances(m)
	n := m.Rows
	for i := range n {
		row := d[i*n : (i+1)*n]
		conditional(row, i, math.Log(15))
		var entropy float64
		for _, x := range row {
			if x > 0 {
				entropy -= float64(x) * math.Log(float64(x))
			}
		}
		if math.Abs(math.Exp(entropy)-15) > 0.01 || row[i] != 0 {
			t.Errorf("row %d: perplexity %v", i, math.Exp(entropy))
		}
	}
	// More rows are the same than the perplexity: they share it.
	same := []float32{0, 0, 0, 0, 9}
	conditional(same, 0, math.Log(2))
	if math.Abs(float64(same[1])-1.0/3) > 1e-6 || same[4] != 0 {
		t.Errorf("%v", same)
	}
}

func TestTSNEErrors(t *testing.T) {
	m, _ := readGolden(t)
	for want, change := range map[string]func(*TSNE){
		"perplexity 300 of 300": func(o *TSNE) { o.Perplexity = 300 },
		"perplexity NaN":        func(o *TSNE) { o.Perplexity = math.NaN() },
		"0 iterations":          func(o *TSNE) { o.Iterations = 0 },
		"exaggeration 0.5":      func(o *TSNE) { o.Exaggeration = 0.5 },
		"learning rate -1":      func(o *TSNE) { o.LearningRate = -1 },
		"a start of 2 points":   func(o *TSNE) { o.Start = make([]Point, 2) },
	} {
		o := DefaultTSNE()
		change(&o)
		_, _, err := o.Run(context.Background(), m)
		expect.Error(t, err, want)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := DefaultTSNE().Run(ended, m); err != context.Canceled {
		t.Error(err)
	}
	if _, _, err := DefaultTSNE().Run(context.Background(), Matrix{2, 2, make([]float32, 4)}); err == nil {
		t.Error("t-SNE of two vectors")
	}
}
