package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tinygpt/internal/fixture"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// sameRun compares checkpoints and metrics of two runs, apart from times.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range []string{train.LastCheckpoint, train.BestCheckpoint} {
		a, err := safetensors.Floats(filepath.Join(want, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := safetensors.Floats(filepath.Join(got, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(a) != len(b) || len(a) < 20 {
			t.Errorf("%s: %d tensors in %s, %d in %s", name, len(a), want, len(b), got)
		}
		for n := range a {
			if !bytes.Equal(train.Bytes(a[n]), train.Bytes(b[n])) {
				t.Errorf("%s: %s is other in %s than in %s", name, n, got, want)
			}
		}
	}
	metrics := func(dir string) string {
		all, err := train.ReadMetrics(filepath.Join(dir, train.MetricsFile))
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			all[i].Elapsed, all[i].TokensPerSec, all[i].Waiting = 0, 0, 0
			all[i].Values = nil // several processes don't log them
		}
		return fmt.Sprint(all)
	}
	if a, b := metrics(want), metrics(got); a != b {
		t.Errorf("metrics of %s and %s differ:\n%s\n%s", want, got, a, b)
	}
}

// One process, and several under every MPI, make the same run; so do those that are stopped
// and go on with another number of processes, or under another MPI.
func TestSameBits(t *testing.T) {
	inFolder(t)
	gpt(t, nil, 1, "train", "--config", "toy.yaml", "--run", "alone")
	for i := range implementations {
		mpi := &implementations[i]
		for _, n := range []int{1, 2, 4} {
			dir := fmt.Sprintf("run-%d-%d", i, n)
			out := gpt(t, mpi, n, "train", "--config", "toy.yaml", "--run", dir)
			if n > 1 && !strings.Contains(out, fmt.Sprintf("processes: %d on this computer", n)) {
				t.Errorf("%s: %s", mpi.name, out)
			}
			sameRun(t, "alone", dir)
		}
	}
	stopped := "stopped"
	for turn, n := range []int{4, 2, 1} {
		mpi := &implementations[turn%len(implementations)]
		args := []string{"train", "--resume", "--run", stopped}
		if turn == 0 {
			args = []string{"train", "--config", "toy.yaml", "--run", stopped}
		}
		c := command(t, mpi, n, args...)
		if turn == 2 {
			c = command(t, nil, 1, args...)
		}
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if turn < 2 {
			waitForStep(t, stopped, []int{5, 20}[turn])
			syscall.Kill(pidOf(stopped, n-1), syscall.SIGTERM) // any process will do
		}
		err := c.Wait()
		if turn < 2 && lastStep(stopped) == 40 {
			t.Logf("%d processes were done before they could be stopped", n)
			return
		}
		if (err == nil) != (turn == 2) {
			t.Fatalf("turn %d: %v\n%s", turn, err, out.String())
		}
	}
	sameRun(t, "alone", stopped)
}

// A fine-tuning that is shared has the bits of one process.
func TestFinetune(t *testing.T) {
	inFolder(t)
	gpt(t, nil, 1, "train", "--config", "toy.yaml", "--run", "base", "--set", "train.steps=2")
	var rows strings.Builder
	rows.WriteString("text\tlabel\n")
	for i := range 60 {
		fmt.Fprintf(&rows, "The number %d is here.\t%s\n", i*i, []string{"even", "odd"}[i%2])
	}
	fixture.Write(t, "rows.tsv", rows.String())
	args := func(dir string) []string {
		return []string{"finetune", "--data", "rows.tsv", "--from", "base", "--run", dir, "--epochs", "1", "--freeze-embeddings", "--adapt", "2",
			"--set", "finetune.min_steps=4", "--set", "train.batch_size=4", "--set", "train.gradient_accumulation_steps=4", "--set", "train.gradient_parts=4"}
	}
	gpt(t, nil, 1, args("alone")...)
	for i := range implementations {
		dir := fmt.Sprintf("run-%d", i)
		gpt(t, &implementations[i], 2+2*i, args(dir)...)
		sameRun(t, "alone", dir)
	}
}
