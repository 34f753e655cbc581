package train

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tinygpt/data"
	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/modeltest"
)

// staged is quick with a stage of half the model on half the context, and one of half the
// model on the whole.
var staged = func() Config {
	c := quick
	c.Steps = 10
	c.RateFactors = RateFactors{Tables: 2, Vectors: 0.5}
	c.Stages = []Stage{{Until: 0.3, Layers: 1, Context: 4}, {Until: 0.6, Layers: 1}}
	return c
}()

func TestLearningRate(t *testing.T) {
	c := Config{Steps: 110, WarmupSteps: 10, LearningRate: 1, MinLearningRate: 0.2}
	for decay, want := range map[string]map[int]float64{
		"":     {0: 0.1, 4: 0.5, 9: 1, 10: 1, 60: 0.6, 110: 0.2},
		Linear: {0: 0.1, 9: 1, 10: 1, 35: 0.8, 60: 0.6, 110: 0.2},
	} {
		c.Decay = decay
		for step, want := range want {
			if got := c.LearningRateAt(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("decay %q, step %d: %v, want %v", decay, step, got, want)
			}
		}
	}
}

func TestPhases(t *testing.T) {
	m := model.Config{Arch: model.GPT2, Layers: 12, Heads: 2, Width: 16, Context: 256, VocabSize: 40}
	c := Config{Steps: 1000, BatchSize: 4, GradientAccumulationSteps: 1, Stages: []Stage{
		{Until: 0.35, Layers: 4, Context: 128}, {Until: 0.8, Layers: 99, Context: 512, BatchSize: 3},
	}}
	list := c.Phases(m)
	for i, want := range []Phase{
		{First: 0, Steps: 350, Layers: 4, Shape: Shape{8, 128}},
		{First: 350, Steps: 450, Layers: 12, Shape: Shape{3, 256}}, // no more than the model has
		{First: 800, Steps: 200, Layers: 12, Shape: Shape{4, 256}},
	} {
		got := list[i]
		got.StepFLOP = 0
		if got != want {
			t.Errorf("phase %d: %+v, want %+v", i, got, want)
		}
	}
	// Operations: three times the forward pass, 2 for each weight and token, and attention's.
	forward := 2.0*8*128*(4*12*16*16+40*16) + 4*8*4*16*(128*129/2)
	if got := list[0].StepFLOP; math.Abs(got/(3*forward)-1) > 1e-12 {
		t.Errorf("%v operations, want %v", got, 3*forward)
	}
	total := 350*list[0].StepFLOP + 450*list[1].StepFLOP + 200*list[2].StepFLOP
	if got, want := workAfter(list, 351), (350*list[0].StepFLOP+list[1].StepFLOP)/total; math.Abs(got-want) > 1e-12 {
		t.Errorf("after 351 steps %v of the work is done, want %v", got, want)
	}
	if workAfter(list, 0) != 0 || workAfter(list, 1000) != 1 {
		t.Error("the work doesn't go from 0 to 1")
	}
	// A very short training has phases without an update, and still ends as it should.
	c.Steps = 1
	if list := c.Phases(m); list[0].Steps+list[1].Steps+list[2].Steps != 1 {
		t.Errorf("one step: %+v", list)
	}
}

func TestValidateStages(t *testing.T) {
	for want, stages := range map[string][]Stage{
		"":                          {{Until: 0.3, Layers: 2, Context: 8}, {Until: 0.6, Layers: 2, Context: 8}, {Until: 0.7}},
		"train.stages[0].until is ": {{Until: 0}},
		"train.stages[1].until is 0.3: expected a share of the steps, more than 0.3": {{Until: 0.3}, {Until: 0.3}},
		"train.stages[0].until is 1:":      {{Until: 1}},
		"train.stages[1].layers is 1:":     {{Until: 0.3, Layers: 2}, {Until: 0.6, Layers: 1}},
		"train.stages[1].layers is 3:":     {{Until: 0.3}, {Until: 0.6, Layers: 3}},
		"train.stages[1].context is 4:":    {{Until: 0.3, Context: 8}, {Until: 0.6, Context: 4}},
		"train.stages[0].batch_size is -1": {{Until: 0.3, BatchSize: -1}},
	} {
		c := quick
		c.Stages = stages
		if err := c.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v, want %q", stages, err, want)
		}
	}
}

// A run in stages that is stopped at any step, within a stage or between two, ends with
// the bits of one that never stopped.
func TestResumeStages(t *testing.T) { resumeStages(t, staged) }

func resumeStages(t *testing.T, c Config) {
	t.Helper()
	whole := newTrainer(t, t.TempDir(), c)
	if _, err := whole.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []int{3, 6}; !reflect.DeepEqual(whole.State().Stages, want) {
		t.Errorf("stages began at %v, want %v", whole.State().Stages, want)
	}
	for stop := 1; stop < c.Steps; stop++ {
		dir := t.TempDir()
		first := newTrainer(t, dir, c)
		interruptAt(t, first, stop)
		second := newTrainer(t, dir, c)
		if _, err := second.Resume(); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		sameRun(t, whole, second)
	}
}

// While half of the layers train, the checkpoint holds the whole model, whose other
// layers add nothing: it computes what the trained half computes.
func TestGrowth(t *testing.T) {
	c := staged
	c.CheckpointInterval, c.EvalInterval = 1, 0
	x := newTrainer(t, t.TempDir(), c)
	untouched := append([]float32(nil), x.Model.Parameter("h.1.attn.c_attn.weight").Value.Float32s()...)
	x.Report = after{do: func(step int) {
		saved, err := model.NewZero(x.Model.Config)
		if err != nil {
			t.Fatal(err)
		}
		if step == 1 {
			return // saved after the report
		}
		state, err := LoadCheckpoint(filepath.Join(x.Dir, LastCheckpoint), saved)
		if err != nil {
			t.Fatal(err)
		}
		if state.Step > 6 {
			return
		}
		if !equal(untouched, saved.Parameter("h.1.attn.c_attn.weight").Value.Float32s()) {
			t.Errorf("step %d: a layer has changed that isn't trained yet", state.Step)
		}
		whole, half := logits(t, saved), logits(t, saved.FirstLayers(1))
		if !equal(whole, half) {
			t.Errorf("step %d: the whole model computes something else than its trained half", state.Step)
		}
	}}
	if _, err := x.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"h.1.attn.c_proj.weight", "h.1.mlp.c_proj.weight", "h.1.attn.c_attn.weight"} {
		if kernel.SumSquares(x.Model.Parameter(name).Value.Float32s()) == 0 || equal(untouched, x.Model.Parameter(name).Value.Float32s()) {
			t.Errorf("%s never learned", name)
		}
	}
}

func equal(a, b []float32) bool { return reflect.DeepEqual(a, b) }

// logits returns what a model computes for the tokens 0 … 7.
func logits(t *testing.T, m *model.Model) []float32 {
	t.Helper()
	g := m.NewGraph(1, 8, false)
	out := g.Logits()
	if err := g.Compile(nil); err != nil {
		t.Fatal(err)
	}
	for i := range g.Tokens {
		g.Tokens[i] = int32(i % 7)
	}
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), out.Value().Data().([]float32)...)
}

// An evaluation on half the context says so, and isn't compared with those on the whole:
// the best checkpoint is one of them, whatever the loss was before.
func TestEvaluationInStages(t *testing.T) {
	c := staged
	c.EvalInterval = 1
	x := newTrainer(t, t.TempDir(), c)
	x.Validate = func(context.Context) (Evaluation, error) {
		if x.Context() == 4 {
			return Evaluation{Loss: 0.1}, nil
		}
		return Evaluation{Loss: 3 + float64(x.State().Step)}, nil
	}
	result, err := x.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if result.State.BestStep != 4 || result.State.BestLoss != 7 {
		t.Errorf("the best is %v at step %d, want 7 at step 4", result.State.BestLoss, result.State.BestStep)
	}
	all, err := ReadMetrics(filepath.Join(x.Dir, MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if want := map[bool]int{true: 4}[m.ValLoss > 0 && m.Step <= 3]; m.Context != want {
			t.Errorf("step %d: evaluated on %d tokens, want %d", m.Step, m.Context, want)
		}
	}
}

// A finished run that is given more steps goes on with the whole model.
func TestMoreSteps(t *testing.T) {
	x := newTrainer(t, t.TempDir(), staged)
	if _, err := x.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := staged
	c.Steps = 100
	again := newTrainer(t, x.Dir, c)
	if _, err := again.Resume(); err != nil {
		t.Fatal(err)
	}
	before := append([]float32(nil), again.Model.Parameter("h.1.mlp.c_proj.weight").Value.Float32s()...)
	if _, err := again.Step(context.Background()); err != nil {
		t.Fatal(err)
	}
	if again.Context() != 8 || equal(before, again.Model.Parameter("h.1.mlp.c_proj.weight").Value.Float32s()) {
		t.Error("it fell back into a stage")
	}
}

// AdamW with factors of the rate and parameters that begin late, against float64.
func TestAdamWGroups(t *testing.T) {
	x := newTrainer(t, t.TempDir(), staged)
	if err := x.begin(); err != nil { // gradients get memory
		t.Fatal(err)
	}
	c := staged
	late := map[string]int{"h.1.": 2}
	groups := c.Groups(x.Model.Parameters, func(p *model.Parameter) int { return late[p.Name[:min(4, len(p.Name))]] })
	a := NewAdamW(c)
	type trained struct{ w, m, v []float64 }
	reference := map[string]*trained{}
	for _, p := range x.Model.Parameters {
		r := &trained{}
		for _, w := range p.Value.Float32s() {
			r.w, r.m, r.v = append(r.w, float64(w)), append(r.m, 0), append(r.v, 0)
		}
		reference[p.Name] = r
	}
	for step := range 5 {
		var now []Group
		for _, g := range groups {
			if step >= g.First {
				now = append(now, g)
			}
		}
		for _, p := range x.Model.Parameters {
			for i := range p.Grad.Float32s() {
				p.Grad.Float32s()[i] = float32(math.Sin(float64(i*7+step*3+len(p.Name)))) + 0.1
			}
			r, first := reference[p.Name], late[p.Name[:min(4, len(p.Name))]]
			if step < first {
				continue
			}
			rate, decay := 1e-2, 0.1
			switch {
			case p.Name == "wte.weight" || p.Name == "wpe.weight":
				rate *= 2
			case p.Value.Dims() == 1:
				rate, decay = rate*0.5, 0
			}
			n := float64(step - first + 1)
			for i, g := range p.Grad.Float32s() {
				g := 0.25 * float64(g)
				r.m[i] = c.Beta1*r.m[i] + (1-c.Beta1)*g
				r.v[i] = c.Beta2*r.v[i] + (1-c.Beta2)*g*g
				m, v := r.m[i]/(1-math.Pow(c.Beta1, n)), r.v[i]/(1-math.Pow(c.Beta2, n))
				r.w[i] -= rate * (decay*r.w[i] + m/(math.Sqrt(v)+c.Epsilon))
			}
		}
		a.Update(now, Update{Step: step, LearningRate: 1e-2, GradScale: 0.25})
	}
	for _, p := range x.Model.Parameters {
		for i, got := range p.Value.Float32s() {
			if want := reference[p.Name].w[i]; math.Abs(float64(got)-want) > 2e-6 {
				t.Fatalf("%s[%d] = %v, want %v", p.Name, i, got, want)
			}
		}
	}
}

// The rate falls from layer to layer, downwards; the head has the whole rate.
func TestLayerDecay(t *testing.T) {
	m := modeltest.New(t, model.Config{Arch: model.GPT2, Layers: 3, Heads: 2, Width: 16, Context: 8, VocabSize: 7, UntiedHead: true}, 1)
	m.AddHead(2, 1)
	c := quick
	c.RateFactors = RateFactors{Vectors: 3, LayerDecay: 0.5}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	factors := map[string]float64{}
	for _, g := range c.Groups(m.Parameters, nil) {
		for _, p := range g.Parameters {
			factors[p.Name] = g.RateFactor
		}
	}
	for name, want := range map[string]float64{
		"score.weight": 1, "lm_head.weight": 1, "ln_f.weight": 3, "h.2.mlp.c_fc.weight": 1, "h.1.mlp.c_fc.weight": 0.5,
		"h.0.mlp.c_fc.weight": 0.25, "h.0.ln_1.bias": 0.75, "wte.weight": 0.125, "wpe.weight": 0.125,
	} {
		if factors[name] != want {
			t.Errorf("%s: %v, want %v", name, factors[name], want)
		}
	}
	c.RateFactors.LayerDecay = 1.1
	expect.Error(t, c.Validate(), "train.rate_factors.layer_decay is 1.1")
}

// An objective with shapes of its own has no stages.
func TestStagesOfBuckets(t *testing.T) {
	x := newTrainer(t, "", staged)
	x.Objective = &inTwoShapes{byGraph: map[*model.Graph][]int32{}}
	_, err := x.Step(context.Background())
	expect.Error(t, err, "train.stages")
}

// Batches of a shape are the same whatever the phase.
func TestLanguageModelShapes(t *testing.T) {
	x := newTrainer(t, "", quick)
	l := x.Objective.(*LanguageModel)
	for _, shape := range []Shape{{3, 8}, {6, 4}} {
		g := x.Model.NewGraph(shape.Batch, shape.Context, false)
		l.Build(g)
		if err := l.Fill(g, 5, 1); err != nil {
			t.Fatal(err)
		}
		want, targets := make([]int32, 24), make([]int32, 24)
		data.NewSampler(l.Text, l.Order, l.Seed, shape.Batch, quick.GradientAccumulationSteps, shape.Context).Batch(5, 1, want, targets)
		if fmt.Sprint(g.Tokens, l.inputs[g].targets) != fmt.Sprint(want, targets) {
			t.Errorf("%v: %v, want %v", shape, g.Tokens, want)
		}
	}
}
