package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"tinygpt/data"
	"tinygpt/internal/expect"
	"tinygpt/model"
	"tinygpt/model/modeltest"
)

// after is a Report that calls do with the number of each step.
type after struct {
	Silent
	do func(step int)
}

func (a after) Step(m Metrics, _ Progress) { a.do(m.Step) }

// interruptAt runs a training that an interrupt stops at a step.
func interruptAt(t *testing.T, x *Trainer, stop int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	x.Report = after{do: func(step int) {
		if step == stop {
			cancel()
		}
	}}
	if _, err := x.Run(ctx); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("stopped at %d: %v", stop, err)
	}
}

// counting returns a text of n tokens that repeats the numbers 0 … 6.
func counting(n int) *data.Stream {
	s := &data.Stream{Starts: []int{0}, Bytes: n}
	for i := range n {
		s.Tokens = append(s.Tokens, int32(i%7))
	}
	return s
}

var quick = Config{
	Steps: 8, BatchSize: 3, GradientAccumulationSteps: 2, LearningRate: 3e-3, MinLearningRate: 1e-4, WarmupSteps: 2,
	Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.1, GradClip: 1, EvalInterval: 3, CheckpointInterval: 3, Seed: 5,
}

// newTrainer returns a trainer of a new tiny model with dropout.
func newTrainer(t *testing.T, dir string, c Config) *Trainer {
	t.Helper()
	x, e := trainerOf(t, dir, c, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 16, Context: 8, VocabSize: 7, Dropout: 0.1}, counting(100))
	x.Validate = e.Run
	return x
}

// trainerOf returns a trainer of a new model on a text, and the text's evaluator.
func trainerOf(t *testing.T, dir string, c Config, shape model.Config, text *data.Stream) (*Trainer, *Evaluator) {
	t.Helper()
	m := modeltest.New(t, shape, c.Seed)
	w := modeltest.Weights(t, m)
	return &Trainer{
		Config: c, Model: m, Dir: dir,
		Objective: &LanguageModel{Text: text, Order: data.Random, Seed: c.Seed, Accumulation: c.GradientAccumulationSteps},
	}, NewEvaluator(w, text)
}

// sameRun compares what two runs left, apart from times.
func sameRun(t *testing.T, a, b *Trainer) {
	t.Helper()
	for i, p := range a.Model.Parameters {
		q := b.Model.Parameters[i]
		if !slices.Equal(p.Value.Float32s(), q.Value.Float32s()) {
			t.Errorf("%s differs", p.Name)
		}
		if !reflect.DeepEqual(a.Optimiser.State(p), b.Optimiser.State(q)) {
			t.Errorf("the optimiser's state of %s differs", p.Name)
		}
	}
	sa, sb := a.state, b.state
	sa.Elapsed, sb.Elapsed = 0, 0
	if !reflect.DeepEqual(sa, sb) {
		t.Errorf("states %+v and %+v", sa, sb)
	}
	untimed := func(dir string) []Metrics {
		all, err := ReadMetrics(filepath.Join(dir, MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			all[i].Elapsed, all[i].TokensPerSec = 0, 0
		}
		return all
	}
	if ma, mb := untimed(a.Dir), untimed(b.Dir); !reflect.DeepEqual(ma, mb) {
		t.Errorf("metrics differ:\n%v\n%v", ma, mb)
	}
}

// A run that was interrupted and resumed, and one that was killed between two
// checkpoints and resumed, end with the bits of one that never stopped.
func TestResume(t *testing.T) {
	whole := newTrainer(t, t.TempDir(), quick)
	if _, err := whole.Run(context.Background()); err != nil {
		t.Fatal(err)
	}

	t.Run("interrupted", func(t *testing.T) {
		dir := t.TempDir()
		first := newTrainer(t, dir, quick)
		ctx, cancel := context.WithCancel(context.Background())
		first.Report = after{do: func(step int) {
			if step == 4 {
				cancel()
			}
		}}
		result, err := first.Run(ctx)
		if !errors.Is(err, ErrInterrupted) || result.State.Step != 4 {
			t.Fatalf("step %d: %v", result.State.Step, err)
		}
		resumeAt(t, dir, 4, whole)
	})
	t.Run("killed", func(t *testing.T) {
		dir := t.TempDir()
		first := newTrainer(t, dir, quick)
		first.Report = after{do: func(step int) {
			if step == 5 {
				panic("killed")
			}
		}}
		func() {
			defer func() { recover() }()
			first.Run(context.Background())
		}()
		// A line that was only partly written.
		f, err := os.OpenFile(filepath.Join(dir, MetricsFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, `{"step": 6, "lo`)
		f.Close()
		resumeAt(t, dir, 3, whole)
	})
}

// resumeAt resumes the run in dir with a new model and trainer, and compares the end with
// the run that never stopped.
func resumeAt(t *testing.T, dir string, step int, whole *Trainer) {
	t.Helper()
	second := newTrainer(t, dir, quick)
	for _, p := range second.Model.Parameters {
		clear(p.Value.Float32s())
	}
	if got, err := second.Resume(); err != nil || got != step {
		t.Fatalf("resumed at step %d: %v", got, err)
	}
	if _, err := second.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	sameRun(t, whole, second)
}

// curve counts how often it is drawn.
type curve struct {
	all   []Metrics
	times int
}

func (c *curve) Add(m Metrics) { c.all = append(c.all, m) }
func (c *curve) Draw() error   { c.times++; return nil }

// The model learns what can be learnt, and the run's folder says so.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	c := quick
	c.Steps, c.EvalInterval, c.SampleInterval = 150, 50, 75
	trainer := newTrainer(t, dir, c)
	trainer.Sample = func(context.Context) (string, error) { return "a sample", nil }
	var drawn curve
	trainer.Curve = func() Curve { return &drawn }
	result, err := trainer.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if result.Final.Loss > 0.1 {
		t.Errorf("validation loss %.3f of a text without surprise", result.Final.Loss)
	}
	if bits := result.Final.Loss * 99 / 100 / math.Ln2; math.Abs(result.Final.BitsPerByte()-bits) > 1e-9 {
		t.Errorf("%v bits per byte, want %v", result.Final.BitsPerByte(), bits)
	}
	all, err := ReadMetrics(filepath.Join(dir, MetricsFile))
	if err != nil || len(all) != c.Steps+3 {
		t.Errorf("%d lines of metrics: %v", len(all), err)
	}
	if drawn.times != 50 || !reflect.DeepEqual(drawn.all, all) {
		t.Errorf("drawn %d times, the last with %d of %d lines", drawn.times, len(drawn.all), len(all))
	}
	if got := strings.Count(string(expect.File(t, dir, SamplesFile)), "a sample"); got != 2 {
		t.Errorf("%d samples", got)
	}
	best, _ := model.New(trainer.Model.Config, 0)
	state, err := LoadCheckpoint(filepath.Join(dir, BestCheckpoint), best)
	if err != nil || state.Step != state.BestStep {
		t.Errorf("best checkpoint: %+v, %v", state, err)
	}
}

// A run stops at the first NaN or infinity, before it spreads, and earlier checkpoints stay
// as they are.
func TestDivergence(t *testing.T) {
	trainer := newTrainer(t, t.TempDir(), quick)
	var saved []byte
	trainer.Report = after{do: func(step int) {
		if step == 5 {
			saved = expect.File(t, trainer.Dir, LastCheckpoint)
			trainer.Model.Parameter("h.1.mlp.c_fc.weight").Value.Float32s()[7] = float32(math.Inf(1))
		}
	}}
	_, err := trainer.Run(context.Background())
	if err == nil {
		t.Fatal("trained on")
	}
	for _, want := range []string{"step 6:", "h.1.mlp.c_fc.weight[7] = +Inf", "learning_rate", "is from before"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if !bytes.Equal(saved, expect.File(t, trainer.Dir, LastCheckpoint)) {
		t.Error("the checkpoint was overwritten")
	}
}

// fixedBatches is an objective with the same sequences in every step, in batches of any
// size.
type fixedBatches struct {
	tokens  []int32
	targets []int32
}

func (f *fixedBatches) Build(g *model.Graph) *G.Node {
	n, targets := g.Indices("targets", g.Batch*g.Context)
	f.targets = targets
	return g.CrossEntropy(g.Logits(), n)
}

func (f *fixedBatches) Fill(g *model.Graph, _, micro int) error {
	n := len(g.Tokens)
	copy(g.Tokens, f.tokens[micro*n:])
	copy(f.targets, f.tokens[micro*n+1:])
	return nil
}

// Two micro-batches of two sequences make the same update as one batch of four.
func TestGradientAccumulation(t *testing.T) {
	train := func(batch, accumulation int) []float32 {
		c := quick
		c.BatchSize, c.GradientAccumulationSteps, c.Steps = batch, accumulation, 3
		trainer := newTrainer(t, t.TempDir(), c)
		trainer.Model.Config.Dropout = 0
		trainer.Objective = &fixedBatches{tokens: counting(4*8 + 1).Tokens}
		if _, err := trainer.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return trainer.Model.Parameter("wte.weight").Value.Float32s()
	}
	once, twice := train(4, 1), train(2, 2)
	for i := range once {
		if math.Abs(float64(once[i]-twice[i])) > 1e-5 {
			t.Fatalf("weight %d: %v and %v", i, once[i], twice[i])
		}
	}
}

// inTwoShapes is fixedBatches in two shapes, in turn.
type inTwoShapes struct {
	fixedBatches
	byGraph map[*model.Graph][]int32
	used    [2]int
}

func (*inTwoShapes) Shapes() []Shape { return []Shape{{4, 8}, {8, 4}} }

func (o *inTwoShapes) Bucket(step, micro int) int { return (step + micro) % 2 }

func (o *inTwoShapes) Build(g *model.Graph) *G.Node {
	loss := o.fixedBatches.Build(g)
	o.byGraph[g] = o.targets
	return loss
}

func (o *inTwoShapes) Fill(g *model.Graph, step, micro int) error {
	o.used[o.Bucket(step, micro)]++
	if want := o.Shapes()[o.Bucket(step, micro)]; g.Batch != want.Batch || g.Context != want.Context {
		panic("the graph of another bucket")
	}
	o.targets = o.byGraph[g]
	return o.fixedBatches.Fill(g, step, 0)
}

// Batches of several shapes train the same parameters.
func TestBuckets(t *testing.T) {
	c := quick
	c.Steps = 60
	trainer := newTrainer(t, t.TempDir(), c)
	o := &inTwoShapes{fixedBatches: fixedBatches{tokens: counting(33).Tokens}, byGraph: map[*model.Graph][]int32{}}
	trainer.Objective = o
	result, err := trainer.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if o.used != [2]int{60, 60} {
		t.Errorf("the shapes were used %v times", o.used)
	}
	if result.Final.Loss > 1.2 {
		t.Errorf("loss %v after %d steps", result.Final.Loss, c.Steps)
	}
}

// The best checkpoint is the one with the highest score, and among equal scores the one
// with the lowest loss. The run ends after Patience evaluations without a better one; then
// there is nothing left to resume.
func TestPatience(t *testing.T) {
	c := quick
	c.Steps, c.EvalInterval, c.Patience = 100, 2, 3
	trainer := newTrainer(t, t.TempDir(), c)
	scores := []float64{0.2, 0.5, 0.5, 0.4, 0.5, 0.3, 0.9}
	losses := []float64{1, 3, 2, 1, 2, 1, 1}
	evaluations := 0
	trainer.Validate = func(context.Context) (Evaluation, error) {
		evaluations++
		return Evaluation{Loss: losses[evaluations-1], Metric: "accuracy", Score: scores[evaluations-1]}, nil
	}
	result, err := trainer.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s := result.State; s.Step != 12 || s.BestStep != 6 || s.BestScore != 0.5 || s.BestLoss != 2 {
		t.Errorf("stopped with %+v", s)
	}
	again := newTrainer(t, trainer.Dir, c)
	again.Validate = nil
	if _, err := again.Resume(); err != nil {
		t.Fatal(err)
	}
	if result, err := again.Run(context.Background()); err != nil || result.State.Step != 12 {
		t.Errorf("resumed to step %d: %v", result.State.Step, err)
	}
	metrics, err := ReadMetrics(filepath.Join(trainer.Dir, MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	if last := metrics[len(metrics)-1]; last.Metric != "accuracy" || last.Score != 0.3 || last.BitsPerByte != 0 {
		t.Errorf("the last line of metrics is %+v", last)
	}
}

func TestClipScale(t *testing.T) {
	for _, k := range []struct{ norm, clip, want float64 }{{4, 1, 0.25}, {0.5, 1, 1}, {4, 0, 1}, {0, 1, 1}} {
		if got := ClipScale(k.norm, k.clip); math.Abs(got-k.want) > 1e-6 {
			t.Errorf("norm %v, clip %v: %v, want %v", k.norm, k.clip, got, k.want)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := quick.Validate(); err != nil {
		t.Error(err)
	}
	for key, spoil := range map[string]func(*Config){
		"train.steps":             func(c *Config) { c.Steps = 0 },
		"train.batch_size":        func(c *Config) { c.BatchSize = -1 },
		"train.learning_rate":     func(c *Config) { c.LearningRate = math.NaN() },
		"train.min_learning_rate": func(c *Config) { c.MinLearningRate = 1 },
		"train.beta2":             func(c *Config) { c.Beta2 = 1 },
		"train.optimiser":         func(c *Config) { c.Optimiser = "sgd" },
		"train.momentum":          func(c *Config) { c.Optimiser, c.Momentum = MuonName, 1 },
		"train.decay":             func(c *Config) { c.Decay = "steps" },
		"train.patience":          func(c *Config) { c.Patience = -1 },
		"train.epsilon":           func(c *Config) { c.Epsilon = 0 },
	} {
		c := quick
		spoil(&c)
		expect.Error(t, c.Validate(), key+" is ")
	}
}
