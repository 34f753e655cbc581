package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/train"
)

// A fine-tuning that adapts its weights first starts from those of the adaptation, and one
// that is stopped at any time, in the adaptation or after it, ends with the bits of one
// that never stopped.
func TestAdapt(t *testing.T) {
	t.Chdir(t.TempDir())
	c := config(t)
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context = 1, 1, 8, 32
	c.Train.Steps, c.Train.BatchSize = 4, 2
	trained(t, c, "base", nil)
	writeRows(t, "rows.tsv")
	f := configs.DefaultFinetune()
	f.Finetune.Task, f.Finetune.Train, f.Finetune.From, f.Finetune.Adapt = "classification", "rows.tsv", "base", 6
	f.Finetune.Epochs, f.Finetune.MinSteps, f.Finetune.Evaluations = 1, 4, 2
	finetunedBy(t, f, "whole", nil)
	adapted, err := Open(filepath.Join("whole", adaptedFolder))
	if err != nil {
		t.Fatal(err)
	}
	if r := adapted.Config.Train; r.Steps != 6 || r.LearningRate != adaptRate*adaptWidth/8 || adapted.Config.Model.Width != 8 {
		t.Errorf("the adaptation is %+v", r)
	}
	metrics, err := adapted.Metrics()
	if err != nil || metrics[0].Loss == 0 {
		t.Errorf("metrics %v: %v", metrics, err)
	}
	weights := func(dir string) []float32 {
		m, err := OpenFinetuned(dir)
		if err != nil {
			t.Fatal(err)
		}
		return m.Model.Parameter("h.0.mlp.c_fc.weight").Value.Float32s()
	}
	f.Finetune.Adapt = 0
	finetunedBy(t, f, "plain", nil)
	if slices.Equal(weights("plain"), weights("whole")) {
		t.Error("adapting changes nothing")
	}
	f.Finetune.Adapt = 6
	for i, stop := range []struct{ adapting, finetuning int }{{1, 0}, {4, 0}, {6, 0}, {0, 1}, {0, 3}} {
		dir := fmt.Sprint("stopped-", i)
		x, err := Finetune(f, FinetuneOptions{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		x.AdaptReport, x.Session.Report = train.StopAt(stop.adapting, cancel), train.StopAt(stop.finetuning, cancel)
		if _, err := x.Train(ctx); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("%+v: %v", stop, err)
		}
		lock := filepath.Join(dir, adaptedFolder, lockFile)
		if i == 3 { // as if it had been killed after the adaptation
			fixture.Write(t, lock, "1 elsewhere\n")
			if err := os.Remove(filepath.Join(dir, train.LastCheckpoint)); err != nil {
				t.Fatal(err)
			}
		}
		x, err = ResumeFinetuning(dir)
		if err != nil {
			t.Fatalf("%+v: %v", stop, err)
		}
		if _, err := x.Train(context.Background()); err != nil {
			t.Fatalf("%+v: %v", stop, err)
		}
		if !slices.Equal(weights(dir), weights("whole")) {
			t.Errorf("%+v: other weights", stop)
		}
		if _, err := os.Stat(lock); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%+v: a lock is left over: %v", stop, err)
		}
	}

	f.Finetune.Scratch = true
	_, err = Finetune(f, FinetuneOptions{Dir: "scratch"})
	expect.Error(t, err, "finetune.adapt is 6")
}
