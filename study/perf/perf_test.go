package perf

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"tinygpt/configs"
	"tinygpt/model"
)

var tiny = Workload{"tiny", model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 8, VocabSize: 11}, 3}

// The sum of |c| of each product is what three plain loops in float64 give.
func TestProducts(t *testing.T) {
	for _, p := range Products(tiny.Model, tiny.Tokens()) {
		o := p.NewOperands()
		want := 0.0
		for i := range p.M {
			for j := range p.N {
				sum := 0.0
				for s := range p.K {
					a, b := i*p.K+s, s*p.N+j
					if p.TransA {
						a = s*p.M + i
					}
					if p.TransB {
						b = j*p.K + s
					}
					sum += float64(o.a[a]) * float64(o.b[b])
				}
				want += math.Abs(sum)
			}
		}
		if got := o.Check(); math.Abs(got/want-1) > 1e-5 {
			t.Errorf("%s: Σ|c| = %g, want %g", p.Name(), got, want)
		}
	}
}

// A step's operations are those of its products, of every layer, and attention's.
func TestFLOP(t *testing.T) {
	for _, w := range []Workload{GPT2, Small, Short, Shakespeare, tiny} {
		c := w.Model
		want := 0.0
		for _, p := range Products(c, w.Tokens()) {
			layers := c.Layers
			if p.In == c.VocabSize || p.Out == c.VocabSize {
				layers = 1
			}
			want += p.FLOP() * float64(layers)
		}
		// Scores and their products with the values: a row of t sees t tokens.
		for row := 1; row <= c.Context; row++ {
			want += 3 * 2 * 2 * float64(row*c.Width*w.Batch*c.Layers)
		}
		if got := w.FLOP(); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s: %g operations, want %g", w.Name, got, want)
		}
	}
	// The usual estimate is 6 for each weight and token.
	if got := GPT2.FLOP() / (6 * 124e6 * 256); got < 0.99 || got > 1.02 {
		t.Errorf("GPT-2: %.3f of 6 operations for each weight and token", got)
	}
}

// The workloads have the presets' shapes.
func TestWorkloads(t *testing.T) {
	for preset, w := range map[string]Workload{"small.yaml": Small, "shakespeare.yaml": Shakespeare} {
		c, _, err := configs.Load(preset)
		if err != nil {
			t.Fatal(err)
		}
		want := c.Model
		if want.VocabSize = c.Tokenizer.VocabSize; c.Tokenizer.Kind == "char" {
			want.VocabSize = 65 // characters of tinyshakespeare
		}
		want.InitStd, want.InitPositions, want.Dropout = 0, "", 0
		if w.Model != want || w.Batch != c.Train.BatchSize {
			t.Errorf("%s: measured as %+v, batch %d; it is %+v, batch %d", preset, w.Model, w.Batch, want, c.Train.BatchSize)
		}
	}
}

// 124,439,808 parameters with positions for 1,024 tokens, of which one is read.
func TestBytesPerToken(t *testing.T) {
	w := GPT2
	w.Model.Context = 1024
	if got, want := w.bytesPerToken(0), 4*float64(124_439_808-1023*768); got != want {
		t.Errorf("nothing cached: %g bytes, want %g", got, want)
	}
	if got := w.bytesPerToken(10) - w.bytesPerToken(0); got != 4*2*12*768*10 {
		t.Errorf("10 cached tokens: %g bytes", got)
	}
}

// Real steps are made, and all their time is accounted for.
func TestStepper(t *testing.T) {
	s, err := NewStepper(tiny)
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Run(0)
	if err != nil {
		t.Fatal(err)
	}
	if first.Count != 1 {
		t.Errorf("at least no time: %d steps", first.Count)
	}
	const least = 100 * time.Millisecond
	steps, err := s.Account(least)
	if err != nil {
		t.Fatal(err)
	}
	if steps.Count < 2 || steps.Took < least {
		t.Errorf("%d steps in %v, wanted %v", steps.Count, steps.Took, least)
	}
	if plain, err := s.Run(0); err != nil || plain.Spent != nil {
		t.Errorf("steps without an account: %v, %v", plain.Spent, err)
	}
	sum := time.Duration(0)
	for name, took := range steps.Spent {
		if took < 0 {
			t.Errorf("%s took %v", name, took)
		}
		sum += took
	}
	if off := math.Abs(sum.Seconds()/steps.Took.Seconds() - 1); off > 0.02 {
		t.Errorf("%v of %v are accounted for", sum, steps.Took)
	}
	for _, name := range []string{"Linear forward", "Linear backward", "CausalSelfAttention backward", SpentOptimiser, SpentGraph} {
		if steps.Spent[name] == 0 {
			t.Errorf("nothing was spent on %s", name)
		}
	}
	// The tokens are random: the loss is about that of knowing nothing.
	if math.Abs(steps.Loss-math.Log(11)) > 0.5 {
		t.Errorf("loss %g, ln 11 is %g", steps.Loss, math.Log(11))
	}
}

func TestMeasure(t *testing.T) {
	tinyPlan := Plan{[]Workload{tiny}, []Workload{tiny}, []Workload{tiny}, 2, time.Millisecond}
	last := -1
	r, err := tinyPlan.Measure(context.Background(), func(what string, done, total int) {
		if done != last+1 || done > total {
			t.Errorf("progress from %d to %d of %d", last, done, total)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Products) != 15 || len(r.Training) != 1 || len(r.Sampling) != 1 {
		t.Fatalf("%d products, %d trainings, %d samplings", len(r.Products), len(r.Training), len(r.Sampling))
	}
	share := 0.0
	for _, p := range r.Training[0].Parts {
		share += p.Share
	}
	if math.Abs(share-1) > 0.02 {
		t.Errorf("the parts of a step are %g of it", share)
	}
	for what, x := range map[string]float64{
		"peak": r.PeakGFLOPS, "bandwidth": r.BandwidthGBPerS, "product": r.Products[14].GFLOPS,
		"training": r.Training[0].TokensPerSecond, "sampling": r.Sampling[0].TokensPerSecond,
	} {
		if !(x > 0) || math.IsInf(x, 1) {
			t.Errorf("%s: %g", what, x)
		}
	}
	if got, want := r.Training[0].OfPeak, r.Training[0].GFLOPS/r.PeakGFLOPS; math.Abs(got-want) > 1e-9*want {
		t.Errorf("training at %g of the peak, expected %g", got, want)
	}

	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := Full.Measure(ended, func(string, int, int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want Spread
	}{
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{4, 1}, Spread{1, 2.5, 4}},
		{[]float64{9, 1, 2}, Spread{1, 2, 9}},
	} {
		if got := SpreadOf(c.x); got != c.want {
			t.Errorf("%v: %v, want %v", c.x, got, c.want)
		}
	}
	if got := GeometricMean([]float64{0.5, 2, 8}); math.Abs(got-2) > 1e-12 {
		t.Errorf("geometric mean %g, want 2", got)
	}
	if got := Ratios([]float64{6, 1}, []float64{3, 4}); got[0] != 2 || got[1] != 0.25 {
		t.Errorf("ratios %v", got)
	}
}

func TestMachine(t *testing.T) {
	m := ThisMachine()
	if m.CPU == "" || m.Logical < 1 || m.Threads < 1 || !strings.HasPrefix(m.Go, "go") && !strings.HasPrefix(m.Go, "devel") {
		t.Errorf("%+v", m)
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil && strings.Contains(string(info), "model name") &&
		!strings.Contains(strings.Join(strings.Fields(string(info)), " "), m.CPU) {
		t.Errorf("CPU %q is not in /proc/cpuinfo", m.CPU)
	}
}
