package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"tinygpt/configs"
	"tinygpt/finetune"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// withTeam calls lead with a team of n processes, whose others follow, and then dismisses
// them. A nil team is one process.
func withTeam(t *testing.T, n int, lead func(*Team)) {
	t.Helper()
	if n == 1 {
		lead(nil)
		return
	}
	peers := fixture.Peers(n)
	var wg sync.WaitGroup
	for _, p := range peers[1:] {
		wg.Go(func() {
			if status, err := Follow(context.Background(), p); status != 7 || err != nil {
				t.Errorf("process %d leaves with status %d, %v", p.Rank(), status, err)
			}
		})
	}
	team := &Team{Peers: peers[0]}
	lead(team)
	if team.Working() {
		t.Error("the others are thought to be at work")
	}
	if err := team.Dismiss(7); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// sameTensors compares checkpoints of two folders.
func sameTensors(t *testing.T, want, got, name string) {
	t.Helper()
	all := func(dir string) map[string][]float32 {
		tensors, err := safetensors.Floats(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return tensors
	}
	a, b := all(want), all(got)
	if len(a) != len(b) {
		t.Errorf("%s: %d tensors in %s, %d in %s", name, len(a), want, len(b), got)
	}
	for n := range a {
		if !slices.Equal(train.Bytes(a[n]), train.Bytes(b[n])) {
			t.Errorf("%s: %s is other in %s than in %s", name, n, got, want)
		}
	}
}

// A team's trainings, one after another, and a stopped one that another team goes on with,
// have the bits of one process.
func TestTeam(t *testing.T) {
	t.Chdir(t.TempDir())
	c := config(t)
	c.Model.Layers, c.Model.Heads, c.Model.Width, c.Model.Context, c.Model.Dropout = 1, 1, 8, 32, 0.1
	c.Train.Steps, c.Train.BatchSize, c.Train.GradientAccumulationSteps, c.Train.GradientParts = 6, 2, 4, 4
	c.Train.EvalInterval, c.Train.SampleInterval, c.Train.CheckpointInterval = 2, 3, 3
	f := configs.DefaultFinetune()
	writeRows(t, "rows.tsv")
	f.Finetune.Task, f.Finetune.Train, f.Finetune.From, f.Finetune.Adapt, f.Finetune.NGrams = "classification", "rows.tsv", "base-1", 3, true
	f.Finetune.Epochs, f.Finetune.MinSteps, f.Finetune.Evaluations = 1, 4, 2
	f.Train.BatchSize, f.Train.GradientAccumulationSteps, f.Train.GradientParts = 4, 4, 4

	for _, n := range []int{1, 2, 4} {
		base, fine := fmt.Sprintf("base-%d", n), fmt.Sprintf("fine-%d", n)
		withTeam(t, n, func(team *Team) {
			trained(t, c, base, team)
			finetunedBy(t, f, fine, team)
		})
		for _, name := range []string{train.LastCheckpoint, train.BestCheckpoint} {
			sameTensors(t, "base-1", base, name)
			sameTensors(t, "fine-1", fine, name)
		}
		if string(expect.File(t, "fine-1", finetune.NGramsFile)) != string(expect.File(t, fine, finetune.NGramsFile)) {
			t.Errorf("the n-grams are others in %s", fine)
		}
		sameTensors(t, "fine-1/adapted", fine+"/adapted", train.LastCheckpoint)
	}
	withTeam(t, 4, func(team *Team) {
		r, err := Start(c, Options{Dir: "stopped"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		r.Team, r.Trainer.Report = team, train.StopAt(2, cancel)
		if _, err := r.Train(ctx); !errors.Is(err, train.ErrInterrupted) {
			t.Fatal(err)
		}
	})
	withTeam(t, 2, func(team *Team) {
		r, err := Resume("stopped")
		if err != nil {
			t.Fatal(err)
		}
		r.Team = team
		if _, err := r.Train(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	sameTensors(t, "base-1", "stopped", train.LastCheckpoint)
}
