package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
)

// A run that is interrupted in an evaluation or a sample ends at once, and when it goes on
// it ends with the files of one that wasn't interrupted.
func TestInterruptedEvaluation(t *testing.T) {
	c := quick
	c.Steps, c.EvalInterval, c.SampleInterval, c.CheckpointInterval, c.Patience = 8, 2, 2, 3, 2
	begin := func(dir string) *Trainer {
		x := newTrainer(t, dir, c)
		x.Sample = func(ctx context.Context) (string, error) {
			return fmt.Sprintf("--- step by step, %d", x.State().Step), ctx.Err()
		}
		return x
	}
	whole := begin(t.TempDir())
	if _, err := whole.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	files := func(dir string) (all []string) {
		for _, name := range []string{MetricsFile, SamplesFile} {
			text := string(expect.File(t, dir, name))
			for _, line := range strings.Split(text, "\n") {
				line, _, _ = strings.Cut(line, `,"tokens_per_second"`)
				line, _, _ = strings.Cut(line, `,"elapsed_seconds"`)
				all = append(all, line)
			}
		}
		return all
	}
	for step := 2; step <= 8; step += 2 {
		for _, during := range []string{"evaluation", "sample"} {
			dir := t.TempDir()
			x := begin(dir)
			ctx, cancel := context.WithCancel(context.Background())
			validate, sample := x.Validate, x.Sample
			x.Validate = func(ctx context.Context) (Evaluation, error) {
				if during == "evaluation" && x.State().Step == step {
					cancel()
				}
				if err := ctx.Err(); err != nil {
					return Evaluation{}, err
				}
				return validate(ctx)
			}
			x.Sample = func(ctx context.Context) (string, error) {
				if during == "sample" && x.State().Step == step {
					cancel()
				}
				return sample(ctx)
			}
			if _, err := x.Run(ctx); !errors.Is(err, ErrInterrupted) {
				t.Fatalf("%s of step %d: %v", during, step, err)
			}
			x = begin(dir)
			if n, err := x.Resume(); err != nil || n != step || x.Finished() {
				t.Fatalf("%s of step %d: resumed at %d: %v", during, step, n, err)
			}
			if _, err := x.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got, want := files(dir), files(whole.Dir); !slices.Equal(got, want) {
				t.Errorf("%s of step %d: %q, want %q", during, step, got, want)
			}
		}
	}
}

// A run that goes on after an earlier step than its last sample writes no sample twice.
func TestCutSamples(t *testing.T) {
	path := fixture.NewPath(t, SamplesFile)
	if err := cutSamples(path, 0); err != nil {
		t.Error(err)
	}
	for step := 10; step <= 30; step += 10 {
		if err := addSample(path, step, "--- step x"); err != nil {
			t.Fatal(err)
		}
	}
	for step, want := range []struct{ step, samples int }{{35, 3}, {30, 3}, {29, 2}, {10, 1}, {0, 0}} {
		if err := cutSamples(path, want.step); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if n := strings.Count(string(text), "step x\n\n"); err != nil || n != want.samples {
			t.Errorf("%d: after step %d there are %d samples, want %d: %v", step, want.step, n, want.samples, err)
		}
	}
}
