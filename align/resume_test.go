package align

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// endsAfter is a context that ends when it has been asked a number of times.
type endsAfter struct {
	context.Context
	times int
}

func (c *endsAfter) Err() error {
	if c.times--; c.times < 0 {
		return context.Canceled
	}
	return nil
}

// policyRun trains a small policy in a folder, as often as it is stopped from the last
// checkpoint on, and returns its weights.
func policyRun(t *testing.T, dir string, c Policy, stops ...int) (weights []float32) {
	t.Helper()
	return interruptedPolicy(t, dir, c, func(i int, s *Session) (context.Context, context.CancelFunc) {
		ctx, stop := context.WithCancel(context.Background())
		if i < len(stops) {
			s.Trainer.Report = train.StopAt(stops[i], stop)
		}
		return ctx, stop
	})
}

// interruptedPolicy is policyRun with the context of each run.
func interruptedPolicy(t *testing.T, dir string, c Policy, contextOf func(run int, s *Session) (context.Context, context.CancelFunc)) (weights []float32) {
	t.Helper()
	for i := 0; ; i++ {
		if i > 200 {
			t.Fatal("it doesn't get any further")
		}
		b := newBandit(t)
		value, err := NewScored(b.m, 1)
		if err != nil {
			t.Fatal(err)
		}
		in := PolicyInputs{
			Model: b.m, Value: value, Prompts: []Instruction{b.in, b.instruction(t, "bc"), b.instruction(t, "h")},
			Generator: &Generator{Format: b.format, MaxTokens: 5}, Reward: byToken{b.rewards}, Seed: 1,
		}
		if c.Group > 1 {
			in.Value = nil
		}
		if c.ValueHead {
			in.Value = nil
			if in.Model, err = NewScored(b.m, 1); err != nil {
				t.Fatal(err)
			}
		}
		s, err := NewPolicy(in, c, &Examiner{Generator: &Generator{Format: b.format, MaxTokens: 5}, Prompts: in.Prompts, Judge: in.Reward, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		s.Trainer.Dir = dir
		if i > 0 {
			if _, err := s.Trainer.Resume(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := contextOf(i, s)
		_, _, err = s.Run(ctx)
		stop()
		if errors.Is(err, train.ErrInterrupted) {
			continue
		}
		if err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
		for _, p := range in.Model.Parameters {
			weights = append(weights, p.Value.Float32s()...)
		}
		return weights
	}
}

// A policy that was stopped, also between two steps of an update, ends with the same bits
// as one that never was; and so does one that was computed by another number of threads.
func TestResume(t *testing.T) {
	base := Policy{
		Updates: 4, Episodes: 16, Group: 1, MiniBatch: 8, Epochs: 2, LearningRate: 1e-2, KL: 0.1, KLIn: KLReward, KLTarget: 0.1, KLHorizon: 100,
		Clip: 0.2, Gamma: 1, Lambda: 0.95, ValueRate: 1e-2, ValueClip: 0.2, ValueWeight: 0.1, MissingEnd: 1, Whiten: true, Average: 0.9, EvalEvery: 2,
	}
	group, head := base, base
	group.Group, group.KLIn = 4, KLLoss
	head.ValueHead, head.Entropy = true, 0.01
	for name, c := range map[string]Policy{"PPO": base, "GRPO": group, "head": head} {
		want := policyRun(t, t.TempDir(), c)
		if got := policyRun(t, t.TempDir(), c, 4, 6, 11); !slices.Equal(got, want) {
			t.Errorf("%s: stopped after steps 4, 6 and 11 it ends with other weights", name)
		}
		threads := kernel.Threads()
		kernel.SetThreads(threads + 1)
		if got := policyRun(t, t.TempDir(), c); !slices.Equal(got, want) {
			t.Errorf("%s: with %d threads it ends with other weights than with %d", name, threads+1, threads)
		}
		kernel.SetThreads(threads)
	}
}

// A policy is interrupted wherever its context is asked: in the middle of a roll-out, of the
// value model's update, of an evaluation. It ends with the same bits, and with the same
// measures.
func TestInterruptedAnywhere(t *testing.T) {
	base := Policy{
		Updates: 3, Episodes: 8, Group: 1, MiniBatch: 4, Epochs: 2, LearningRate: 1e-2, KL: 0.1, KLIn: KLReward, KLTarget: 0.1, KLHorizon: 100,
		Clip: 0.2, Gamma: 1, Lambda: 0.95, ValueRate: 1e-2, ValueClip: 0.2, ValueWeight: 0.1, MissingEnd: 1, Average: 0.9, EvalEvery: 1,
	}
	group, head := base, base
	group.Group, group.KLIn = 4, KLLoss
	head.ValueHead, head.Entropy = true, 0.01
	for name, c := range map[string]Policy{"PPO": base, "GRPO": group, "head": head} {
		whole := t.TempDir()
		want := policyRun(t, whole, c)
		for _, every := range []int{5, 13, 29} {
			dir, runs := t.TempDir(), 0
			got := interruptedPolicy(t, dir, c, func(i int, _ *Session) (context.Context, context.CancelFunc) {
				runs = i
				return &endsAfter{context.Background(), every + 10*(i/8)}, func() {} // less and less often: all get to their end
			})
			if runs == 0 {
				t.Errorf("%s: wasn't interrupted at all", name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: interrupted %d times it ends with other weights", name, runs)
			}
			if a, b := measured(t, whole), measured(t, dir); !reflect.DeepEqual(a, b) {
				t.Errorf("%s: interrupted %d times it has other measures:\n%+v\n%+v", name, runs, b, a)
			}
			if !slices.Equal(averageOf(t, whole), averageOf(t, dir)) {
				t.Errorf("%s: interrupted %d times it ends with another average", name, runs)
			}
		}
	}
}

// measured are the metrics of a run without times.
func measured(t *testing.T, dir string) []train.Metrics {
	t.Helper()
	all, err := train.ReadMetrics(filepath.Join(dir, train.MetricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Elapsed, all[i].TokensPerSec = 0, 0
	}
	return all
}

// averageOf are the weights of a run's average.
func averageOf(t *testing.T, dir string) (weights []float32) {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, AverageCheckpoint))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		x := make([]float32, info.Len())
		if err := f.Float32(name, x); err != nil {
			t.Fatal(err)
		}
		weights = append(weights, x...)
	}
	return weights
}

// A policy that goes further from its reference than it may is stopped, and says why.
func TestMaxKL(t *testing.T) {
	b := newBandit(t)
	c := banditSettings()
	c.MaxKL, c.KL, c.Group = 0.05, 0, 64
	c.KLIn = KLReward
	in := PolicyInputs{Model: b.m, Prompts: []Instruction{b.in}, Generator: &Generator{Format: b.format, MaxTokens: 1}, Reward: byToken{b.rewards}, Seed: 1}
	s, err := NewPolicy(in, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Trainer.Dir = t.TempDir()
	result, stopped, err := s.Run(context.Background())
	var far *KLError
	if err != nil || !errors.As(stopped, &far) || far.KL <= 0.05 {
		t.Fatalf("stopped %v, error %v", stopped, err)
	}
	if result.State.Step == 0 || result.State.Step >= s.Trainer.Config.Steps {
		t.Errorf("stopped after %d steps of %d", result.State.Step, s.Trainer.Config.Steps)
	}
}

// A sampler that draws from another model than is trained is found out.
func TestSamplerDiffers(t *testing.T) {
	b := newBandit(t)
	in := PolicyInputs{Model: b.m, Prompts: []Instruction{b.in}, Generator: &Generator{Format: b.format, MaxTokens: 3}, Reward: byToken{b.rewards}, Seed: 1}
	c := banditSettings()
	c.Group = 64
	p, err := newPolicy(in, c)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := in.Generator.Answers(context.Background(), b.model(t, 4), []Instruction{b.in}, []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	compared, err := p.scorer.compare(context.Background(), p.referenceScorer, sequences([]Instruction{b.in}, answers))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.checkSampler(answers, compared.logProbs); err == nil {
		t.Error("answers of another model pass for the policy's")
	}
	answers, err = in.Generator.Answers(context.Background(), b.m, []Instruction{b.in}, []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	if compared, err = p.scorer.compare(context.Background(), p.referenceScorer, sequences([]Instruction{b.in}, answers)); err != nil {
		t.Fatal(err)
	}
	if err := p.checkSampler(answers, compared.logProbs); err != nil {
		t.Error(err)
	}
}
