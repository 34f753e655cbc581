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
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model"
)

// planted is an objective with a batch that nothing prepares for: step at has its tokens in
// another order.
type planted struct {
	*LanguageModel
	at int
}

func (p planted) Fill(g *model.Graph, step, micro int) error {
	err := p.LanguageModel.Fill(g, step, micro)
	if step == p.at {
		slices.Reverse(g.Tokens)
	}
	return err
}

// spiky is long enough for the detector to begin.
func spiky() Config {
	c := quick
	c.Steps, c.GradientAccumulationSteps, c.LearningRate, c.WarmupSteps = 150, 1, 1e-2, 5
	c.EvalInterval, c.CheckpointInterval, c.OnSpike = 0, 20, Skip
	return c
}

func spikyTrainer(t *testing.T, dir string, c Config) *Trainer {
	t.Helper()
	x := newTrainer(t, dir, c)
	x.Model.Config.Dropout = 0
	x.Objective = planted{x.Objective.(*LanguageModel), 140}
	return x
}

// A bad batch is left out: it changes no weight, is counted, and is in the metrics. A run
// that was stopped has the bits of one that wasn't.
func TestSkip(t *testing.T) {
	whole := spikyTrainer(t, t.TempDir(), spiky())
	var before, then []float32
	weight := func() []float32 { return slices.Clone(whole.Model.Parameters[0].Value.Float32s()) }
	whole.Report = after{do: func(step int) {
		switch step {
		case 140:
			before = weight()
		case 141:
			then = weight()
		}
	}}
	if _, err := whole.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if whole.state.Spikes.Skipped != 1 || !slices.Equal(before, then) {
		t.Errorf("%d batches left out, weights as before: %v", whole.state.Spikes.Skipped, slices.Equal(before, then))
	}
	all, err := ReadMetrics(filepath.Join(whole.Dir, MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if (m.Skipped == 1) != (m.Step == 141 && m.Loss > 0) {
			t.Errorf("metrics: %+v", m)
		}
	}

	dir := t.TempDir()
	interruptAt(t, spikyTrainer(t, dir, spiky()), 130)
	for _, stop := range []int{141, 0} {
		resumed := spikyTrainer(t, dir, spiky())
		if _, err := resumed.Resume(); err != nil {
			t.Fatal(err)
		}
		if stop > 0 {
			interruptAt(t, resumed, stop)
			continue
		}
		if _, err := resumed.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		sameRun(t, whole, resumed)
	}

	c := spiky()
	c.OnSpike = ""
	usual := spikyTrainer(t, t.TempDir(), c)
	if _, err := usual.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(usual.state.Spikes, Spikes{}) {
		t.Errorf("without on_spike: %+v", usual.state.Spikes)
	}
}

// Several processes leave out the same batches.
func TestSkipTogether(t *testing.T) {
	c := spiky()
	c.GradientAccumulationSteps, c.GradientParts = 2, 2
	alone := spikyTrainer(t, t.TempDir(), c)
	if _, err := alone.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if alone.state.Spikes.Skipped != 1 {
		t.Fatalf("%d batches left out", alone.state.Spikes.Skipped)
	}
	var trainers []*Trainer
	ended := make(chan error)
	for _, p := range fixture.Peers(2) {
		x := spikyTrainer(t, "", c)
		x.Peers = p
		x.Validate = func(context.Context) (Evaluation, error) { return Evaluation{Loss: 1}, nil }
		trainers = append(trainers, x)
	}
	trainers[0].Dir = t.TempDir()
	for _, x := range trainers {
		go func() { _, err := x.Run(t.Context()); ended <- err }()
	}
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Fatal(err)
	}
	for r, x := range trainers {
		if !reflect.DeepEqual(x.state.Spikes, alone.state.Spikes) {
			t.Errorf("process %d knows of other batches", r)
		}
		for i, p := range x.Model.Parameters {
			if !slices.Equal(p.Value.Float32s(), alone.Model.Parameters[i].Value.Float32s()) {
				t.Errorf("process %d: %s differs", r, p.Name)
			}
		}
	}
}

func TestSpikes(t *testing.T) {
	for _, c := range []struct {
		values     []float64 // at the end of a window of 0 and 1 in turn
		skipped    int
		whatItSays bool
	}{
		{[]float64{1}, 0, false},
		{[]float64{4}, 0, false},    // 4 − ½ is 6.6 deviations with itself in the window
		{[]float64{100}, 1, true},   // 11.2
		{[]float64{-100}, 0, false}, // far below is no spike
		{[]float64{100, 1}, 1, false},
		{[]float64{100, 100}, 2, true},
		{[]float64{100, 100, 100}, 2, false}, // no longer rare
	} {
		for _, norms := range []bool{false, true} {
			var s Spikes
			note := func(x float64) bool {
				if norms {
					return s.note(1, x)
				}
				return s.note(x, 1)
			}
			for i := range 1000 {
				if note(float64(i % 2)) {
					t.Fatalf("says something at %d", i)
				}
			}
			var last bool
			for _, x := range c.values {
				last = note(x)
			}
			if s.Skipped != c.skipped || last != c.whatItSays {
				t.Errorf("%v: %d left out, the last %v", c.values, s.Skipped, last)
			}
		}
	}
	var s Spikes
	for range spikeWindow - 1 {
		if s.note(1, 1) {
			t.Error("equal values stick out")
		}
	}
	if (&Spikes{}).note(1e30, 1) {
		t.Error("the first value sticks out")
	}
	if !s.note(2, 1) || score([]float64{0, 0}) != 0 || math.Abs(score(s.Losses)-math.Sqrt(127)) > 1e-9 {
		t.Errorf("the largest score is %v", score(s.Losses))
	}
}

func TestParseSpikes(t *testing.T) {
	many := strings.Repeat("1 ", 129)
	for _, meta := range []map[string]string{
		{"latest_losses": "1 x", "latest_norms": "1 2"},
		{"latest_losses": "1 NaN", "latest_norms": "1 2"},
		{"latest_losses": "1", "latest_norms": "1 2"},
		{"latest_losses": many, "latest_norms": many},
		{"skipped": "-1"},
	} {
		_, err := parseSpikes(meta)
		expect.OneLine(t, err, "expected")
	}
	f := fixture.NewPath(t, "a.safetensors")
	x := newTrainer(t, "", quick)
	state := State{Spikes: Spikes{Losses: []float64{1.0 / 3, 2e-300}, Norms: []float64{4, 5}, Skipped: 3}}
	if err := SaveCheckpoint(f, x.Model, state); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadCheckpoint(f, x.Model); err != nil || fmt.Sprint(again) != fmt.Sprint(state) {
		t.Errorf("%+v: %v", again, err)
	}
}
