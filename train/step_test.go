package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// rollouts is an objective as in reinforcement learning: every third step it writes
// sequences that depend on the weights, which three updates are made on.
type rollouts struct {
	LanguageModel
	model    *model.Model
	written  []int32
	reward   []float64
	prepared []int
}

func (r *rollouts) Prepare(ctx context.Context, step int) error {
	r.prepared = append(r.prepared, step)
	if step%3 > 0 {
		return ctx.Err()
	}
	sum := 0.0
	for _, v := range r.model.Parameters[0].Value.Float32s() {
		sum += float64(v)
	}
	random := rand.New(rand.NewPCG(uint64(1e6*(sum+100)), uint64(step)))
	for i := range r.written {
		r.written[i] = int32(random.IntN(7))
	}
	r.reward[0] = sum
	return ctx.Err()
}

func (r *rollouts) Fill(g *model.Graph, step, micro int) error {
	n := len(g.Tokens)
	copy(g.Tokens, r.written[micro*n:])
	copy(r.inputs[g].targets, r.written[micro*n+1:])
	return nil
}

func (r *rollouts) State() []safetensors.Tensor {
	return []safetensors.Tensor{
		{Name: "rollouts.tokens", Shape: []int{len(r.written)}, Data: r.written},
		{Name: "rollouts.reward", Shape: []int{1}, Data: r.reward},
	}
}

func (r *rollouts) Values(int) map[string]float64 {
	return map[string]float64{"objective/reward": r.reward[0]}
}

// A run whose batches depend on the weights is resumed between two updates on the same
// roll-outs, and ends with the bits of one that never stopped.
func TestResumeRollouts(t *testing.T) {
	trainer := func(dir string) (*Trainer, *rollouts) {
		x := newTrainer(t, dir, quick)
		r := &rollouts{LanguageModel: *x.Objective.(*LanguageModel), model: x.Model, written: make([]int32, 2*3*8+1), reward: make([]float64, 1)}
		x.Objective = r
		return x, r
	}
	whole, _ := trainer(t.TempDir())
	if _, err := whole.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop < quick.Steps; stop++ {
		dir := t.TempDir()
		first, _ := trainer(dir)
		interruptAt(t, first, stop)
		second, r := trainer(dir)
		if _, err := second.Resume(); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		sameRun(t, whole, second)
		if want := []int{3, 4, 5, 6, 7}; stop == 3 && !slices.Equal(r.prepared, want) {
			t.Errorf("prepared for %v, want %v", r.prepared, want)
		}
	}
	metrics, err := ReadMetrics(whole.Dir + "/" + MetricsFile)
	if err != nil || metrics[0].Values["objective/reward"] == 0 || !reflect.DeepEqual(metrics[0].Values, metrics[1].Values) {
		t.Errorf("values %v and %v: %v", metrics[0].Values, metrics[1].Values, err)
	}
}

// A context that ends while an objective prepares stops the run at the update before,
// and saves.
func TestInterruptedPrepare(t *testing.T) {
	x := newTrainer(t, t.TempDir(), quick)
	ctx, cancel := context.WithCancel(context.Background())
	x.Objective = &stopping{x.Objective.(*LanguageModel), cancel}
	result, err := x.Run(ctx)
	if !errors.Is(err, ErrInterrupted) || result.State.Step != 4 {
		t.Fatalf("step %d: %v", result.State.Step, err)
	}
	if step, err := newTrainer(t, x.Dir, quick).Resume(); err != nil || step != 4 {
		t.Errorf("resumed at %d: %v", step, err)
	}
}

// stopping is an objective whose context ends while it prepares step 4.
type stopping struct {
	*LanguageModel
	stop func()
}

func (s *stopping) Prepare(ctx context.Context, step int) error {
	if step == 4 {
		s.stop()
	}
	return ctx.Err()
}

// An objective's error ends the run before the update.
func TestFillFails(t *testing.T) {
	x := newTrainer(t, t.TempDir(), quick)
	x.Objective = &failing{x.Objective.(*LanguageModel)}
	before := slices.Clone(x.Model.Parameters[0].Value.Float32s())
	if _, err := x.Run(context.Background()); err == nil || err.Error() != "no batch 0.1" {
		t.Errorf("error %v", err)
	}
	if x.State().Step != 0 || !slices.Equal(before, x.Model.Parameters[0].Value.Float32s()) {
		t.Errorf("%d steps were made", x.State().Step)
	}
}

// failing is an objective without a second micro-batch.
type failing struct{ *LanguageModel }

func (f *failing) Fill(g *model.Graph, step, micro int) error {
	if micro == 1 {
		return fmt.Errorf("no batch %d.%d", step, micro)
	}
	return f.LanguageModel.Fill(g, step, micro)
}
