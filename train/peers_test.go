package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// shared is a short training in several stages, with dropout, of a model whose matrices
// have several blocks.
var shared = Config{
	Steps: 6, BatchSize: 1, GradientAccumulationSteps: 24, GradientParts: 12, LearningRate: 3e-3, WarmupSteps: 2,
	Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0.1, GradClip: 0.5, EvalInterval: 2, CheckpointInterval: 3, Seed: 5,
	Stages:      []Stage{{Until: 0.4, Layers: 1, Context: 8}},
	RateFactors: RateFactors{Tables: 2, LayerDecay: 0.9},
}

// sharedTrainer returns a trainer for shared or the like.
func sharedTrainer(t *testing.T, dir string, c Config, p Peers) *Trainer {
	t.Helper()
	stream := counting(400)
	x, e := trainerOf(t, dir, c, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: 64, Context: 16, VocabSize: 300, Dropout: 0.1}, stream)
	x.Peers, e.Peers = p, p
	x.Validate = func(context.Context) (Evaluation, error) {
		e.Windows = stream.DocumentWindows(x.Context())
		return e.Run(context.Background())
	}
	return x
}

// together runs the trainers of n processes and returns what each has returned. stop is the
// step after which process n−1 is interrupted; 0: none.
func together(t *testing.T, dir string, c Config, n, stop int, resume bool) []error {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for r, p := range fixture.Peers(n) {
		var x *Trainer
		if n == 1 {
			x = sharedTrainer(t, dir, c, nil)
		} else if r == 0 {
			x = sharedTrainer(t, dir, c, p)
		} else {
			other := c
			other.Seed++ // weights that process 0's are to replace
			x = sharedTrainer(t, "", other, p)
			x.Config.Seed, x.Objective.(*LanguageModel).Seed = c.Seed, c.Seed
		}
		if resume && r == 0 {
			if _, err := x.Resume(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if r == n-1 && stop > 0 {
			validate := x.Validate
			x.Validate = func(context.Context) (Evaluation, error) {
				if x.State().Step == stop {
					cancel()
				}
				return validate(ctx)
			}
		}
		wg.Go(func() { _, errs[r] = x.Run(ctx) })
	}
	wg.Wait()
	return errs
}

// left is the last checkpoint and the metrics in a folder, without times.
func left(t *testing.T, dir string) (tensors map[string][]float32, metrics []Metrics) {
	t.Helper()
	tensors, err := safetensors.Floats(filepath.Join(dir, LastCheckpoint))
	if err != nil {
		t.Fatal(err)
	}
	if metrics, err = ReadMetrics(filepath.Join(dir, MetricsFile)); err != nil {
		t.Fatal(err)
	}
	for i := range metrics {
		metrics[i].Elapsed, metrics[i].TokensPerSec, metrics[i].Waiting = 0, 0, 0
	}
	return tensors, metrics
}

// sameBits compares what two folders hold.
func sameBits(t *testing.T, want, got string) {
	t.Helper()
	a, ma := left(t, want)
	b, mb := left(t, got)
	if len(a) != len(b) || len(a) < 3 {
		t.Errorf("%d and %d tensors", len(a), len(b))
	}
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if !reflect.DeepEqual(ma, mb) {
		t.Errorf("metrics differ:\n%v\n%v", ma, mb)
	}
}

// A training that is shared by several processes has the bits of one process.
func TestPeers(t *testing.T) { peersAsOne(t, shared, 3, 6, 12) }

// peersAsOne runs a training with these numbers of processes, and in turn with 12, 3 and 1.
func peersAsOne(t *testing.T, c Config, processes ...int) {
	alone := t.TempDir()
	if errs := together(t, alone, c, 1, 0, false); errs[0] != nil {
		t.Fatal(errs[0])
	}
	for _, n := range processes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := t.TempDir()
			if err := errors.Join(together(t, dir, c, n, 0, false)...); err != nil {
				t.Fatal(err)
			}
			sameBits(t, alone, dir)
		})
	}
	t.Run("resumed by others", func(t *testing.T) {
		dir := t.TempDir()
		for i, n := range []int{12, 3, 1} {
			stop := []int{2, 4, 0}[i]
			for r, err := range together(t, dir, c, n, stop, i > 0) {
				if stop > 0 != errors.Is(err, ErrInterrupted) || stop == 0 && err != nil {
					t.Fatalf("process %d of %d: %v", r, n, err)
				}
			}
		}
		sameBits(t, alone, dir)
	})
}

// The parts of a step make the same gradient as its batches, apart from rounding.
func TestGradientParts(t *testing.T) {
	var norms, losses []float64
	for _, parts := range []int{0, 1, 2, 3, 4, 12, 24} {
		c := shared
		c.GradientParts = parts
		x := sharedTrainer(t, "", c, nil)
		m, err := x.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		norms, losses = append(norms, m.GradNorm), append(losses, m.Loss)
	}
	if norms[0] != norms[1] {
		t.Errorf("norm %v without parts, %v with 1", norms[0], norms[1])
	}
	for i := range norms {
		if d := norms[i]/norms[0] - 1; math.Abs(d) > 1e-5 || losses[i] != losses[0] {
			t.Errorf("norm %v and loss %v, want %v and %v", norms[i], losses[i], norms[0], losses[0])
		}
	}
}

// A NaN in one process ends all with the same error, which says where it is.
func TestNaNInOneProcess(t *testing.T) {
	dir, peers := t.TempDir(), fixture.Peers(3)
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for r, p := range peers {
		x := sharedTrainer(t, dir, shared, p)
		if r == 2 {
			x.Objective = &poisoned{x.Objective.(*LanguageModel), x.Model}
		}
		wg.Go(func() { _, errs[r] = x.Run(context.Background()) })
	}
	wg.Wait()
	for r, err := range errs {
		if err == nil || !Agreed(err) || err.Error() != errs[0].Error() || !strings.Contains(err.Error(), "in process 2 of 3") {
			t.Errorf("process %d: %v", r, err)
		}
	}
}

// poisoned is an objective that damages a weight of its process in step 3.
type poisoned struct {
	*LanguageModel
	model *model.Model
}

func (p *poisoned) Fill(g *model.Graph, step, micro int) error {
	if step == 3 {
		p.model.Parameter("h.0.mlp.c_fc.bias").Value.Float32s()[7] = float32(math.NaN())
	}
	return p.LanguageModel.Fill(g, step, micro)
}

func TestForPeers(t *testing.T) {
	for _, c := range []struct {
		batch, accumulation, parts, processes int
		wantBatch, wantAccumulation           int
		err                                   string
	}{
		{3, 4, 0, 2, 3, 4, ""},
		{4, 1, 0, 4, 1, 4, ""},
		{12, 1, 0, 4, 3, 4, ""},
		{6, 2, 0, 4, 3, 4, ""},
		{5, 1, 0, 4, 0, 0, "--set train.batch_size=1 --set train.gradient_accumulation_steps=4"},
		{1, 12, 12, 3, 1, 12, ""},
		{1, 12, 12, 4, 0, 0, "4 processes can't share a step of 12 parts (train.gradient_parts): start 1, 3, 6 or 12"},
		{1, 12, 12, 24, 0, 0, "can't share"},
		{5, 3, 0, 1, 5, 3, ""},
	} {
		x := quick
		x.BatchSize, x.GradientAccumulationSteps, x.GradientParts = c.batch, c.accumulation, c.parts
		got, note, err := x.ForPeers(c.processes)
		switch {
		case c.err != "":
			expect.Error(t, err, c.err)
		case err != nil || got.BatchSize != c.wantBatch || got.GradientAccumulationSteps != c.wantAccumulation || (note != "") != (c.batch != c.wantBatch):
			t.Errorf("%+v: batches of %d, %d of them, %q, %v", c, got.BatchSize, got.GradientAccumulationSteps, note, err)
		case got.Validate() != nil || got.CheckPeers(c.processes) != nil:
			t.Errorf("%+v: %v, %v", c, got.Validate(), got.CheckPeers(c.processes))
		}
	}
}
