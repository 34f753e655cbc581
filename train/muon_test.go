package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/modeltest"
)

// byMuon is c with Muon.
func byMuon(c Config) Config {
	c.Optimiser = MuonName
	return c
}

func TestMuonResumes(t *testing.T) { resumeStages(t, byMuon(staged)) }

// Some of 12 processes own no matrix.
func TestMuonPeers(t *testing.T) { peersAsOne(t, byMuon(shared), 3, 12) }

// Processes own about as much of the matrices, in the first layers too.
func TestShareOut(t *testing.T) {
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 6, Heads: 2, Width: 16, Context: 8, VocabSize: 40}, 1)
	owners := shareOut(m.Parameters, NewMuon(quick), 2)
	elements := [2]int{}
	for i, p := range m.Parameters {
		if matrix := model.LinearMaps(p.Name) > 0; matrix != (owners[i] != divided) {
			t.Errorf("%s: owner %d", p.Name, owners[i])
		}
		if owners[i] != divided {
			elements[owners[i]] += p.Value.Shape().TotalSize()
		}
		layer := 12 * 16 * 16
		if d := elements[0] - elements[1]; max(d, -d) > layer/3 {
			t.Errorf("up to %s: %v", p.Name, elements)
		}
	}
}

// fill gives each parameter a gradient.
func fill(m *model.Model, step int) {
	for _, p := range m.Parameters {
		if p.Grad == nil { // a head that no graph has
			p.Grad = dense(make([]float32, p.Value.Shape().TotalSize()), p.Value.Shape()...)
		}
		for i := range p.Grad.Float32s() {
			p.Grad.Float32s()[i] = float32(math.Sin(float64(i*i%101 + step*3 + len(p.Name))))
		}
	}
}

// Muon trains the matrices of the layers; what it does to everything else are AdamW's bits.
// A frozen part stays, of a matrix too, whose rest AdamW trains.
func TestMuonParameters(t *testing.T) {
	c := byMuon(quick)
	c.RateFactors = RateFactors{Tables: 2, Vectors: 0.5}
	trained := func(o Optimiser) *model.Model {
		x := newTrainer(t, t.TempDir(), quick)
		x.Model.AddHead(2, 1)
		if err := x.begin(); err != nil {
			t.Fatal(err)
		}
		x.Model.Parameter("h.1.mlp.c_proj.weight").Frozen = 40
		x.Model.Parameter("wte.weight").Frozen = 5
		for step := range 3 {
			fill(x.Model, step)
			o.Update(c.Groups(x.Model.Parameters, nil), Update{Step: step, LearningRate: 1e-2, GradScale: 0.5})
		}
		return x.Model
	}
	start := newTrainer(t, t.TempDir(), quick).Model
	muon, adamw := trained(NewMuon(c)), trained(NewAdamW(c))
	matrices := 0
	for i, p := range muon.Parameters {
		value, other := p.Value.Float32s(), adamw.Parameters[i].Value.Float32s()
		layer, ok := model.LayerOf(p.Name)
		mine := ok && p.Value.Dims() == 2 && !(layer == 1 && strings.HasSuffix(p.Name, "mlp.c_proj.weight"))
		if mine {
			matrices++
		}
		if slices.Equal(value, other) == mine {
			t.Errorf("%s: as with AdamW: %v", p.Name, !mine)
		}
		if p.Frozen > 0 && !slices.Equal(value[:p.Frozen], start.Parameter(p.Name).Value.Float32s()[:p.Frozen]) {
			t.Errorf("the frozen part of %s changes", p.Name)
		}
	}
	if matrices != 7 {
		t.Errorf("Muon trains %d matrices", matrices)
	}
}

// Queries, keys and values are made orthogonal each by itself: with a gradient for the
// values alone, and without decay, the others stay.
func TestMuonSideBySide(t *testing.T) {
	x := newTrainer(t, t.TempDir(), quick)
	if err := x.begin(); err != nil {
		t.Fatal(err)
	}
	p := x.Model.Parameter("h.0.attn.c_attn.weight")
	before := slices.Clone(p.Value.Float32s())
	fill(x.Model, 1)
	clear(p.Grad.Float32s())
	for i := range p.Grad.Float32s() {
		if i%48 >= 32 {
			p.Grad.Float32s()[i] = float32(math.Sin(float64(i * i % 101)))
		}
	}
	NewMuon(quick).Update([]Group{{Parameters: []*model.Parameter{p}, RateFactor: 1}}, Update{LearningRate: 0.1, GradScale: 1})
	square := 0.0
	for i, v := range p.Value.Float32s() {
		d := float64(v - before[i])
		square += d * d
		if i%48 < 32 && d != 0 || i%48 >= 32 && d == 0 {
			t.Fatalf("column %d changes by %v", i%48, d)
		}
	}
	// 16 singular values of about 1, times the rate, 0.2 and √16.
	if norm := math.Sqrt(square) / (0.1 * 0.2 * 4); norm < 0.7*4 || norm > 1.2*4 {
		t.Errorf("the step has the norm %v, want about 4", norm)
	}
}

// What is estimated is what is kept.
func TestOptimiserMemory(t *testing.T) {
	shape := model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 8, VocabSize: 7, UntiedHead: true}
	m := modeltest.New(t, shape, 1)
	sizes := map[string]int64{}
	for _, name := range []string{AdamWName, MuonName} {
		c := quick
		c.Optimiser = name
		o := NewOptimiser(c)
		for _, p := range m.Parameters {
			for _, s := range o.State(p) {
				sizes[name] += 4 * int64(len(s.Data.([]float32)))
			}
		}
		if got := c.Memory(shape).Optimiser; got != sizes[name] {
			t.Errorf("%s: estimated %d bytes, kept %d", name, got, sizes[name])
		}
	}
	if sizes[AdamWName]-sizes[MuonName] != 4*2*12*16*16 {
		t.Errorf("%v", sizes)
	}
}

// A run that began with one optimiser doesn't go on with another.
func TestOtherOptimiser(t *testing.T) {
	x := newTrainer(t, t.TempDir(), quick)
	if _, err := x.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := newTrainer(t, x.Dir, byMuon(quick)).Resume()
	expect.Error(t, err, "no tensor muon.momentum.h.0.attn.c_attn.weight in it, which the optimiser keeps: resume with the train.optimiser")
}

// Muon's products count as work: one matrix of 16 × 16 has 17 symmetric products of the
// iterations and one of the Gram matrix, half each, and a whole one at the end.
func TestMuonWork(t *testing.T) {
	m := model.Config{Arch: model.GPT2, Layers: 3, Heads: 2, Width: 16, Context: 8, VocabSize: 7, InnerWidth: 16}
	got := byMuon(quick).Phases(m)[0].StepFLOP - quick.Phases(m)[0].StepFLOP
	if want := 3 * 6 * 2 * 16 * 16 * 16 * (18.0/2 + 1); math.Abs(got-want) > 1 {
		t.Errorf("%v operations, want %v", got, want)
	}
}
