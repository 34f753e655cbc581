package align

import (
	"context"
	"errors"
	"slices"
	"testing"

	"tinygpt/model/kernel"
	"tinygpt/train"
)

// policyRun trains a small policy in a folder, as often as it is stopped from the last
// checkpoint on, and returns its weights.
func policyRun(t *testing.T, dir string, c Policy, stops ...int) (weights []float32) {
	t.Helper()
	for i := 0; ; i++ {
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
		s, err := NewPolicy(in, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Trainer.Dir = dir
		if i > 0 {
			if _, err := s.Trainer.Resume(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		if i < len(stops) {
			s.Trainer.Report = train.StopAt(stops[i], stop)
		}
		_, _, err = s.Run(ctx)
		if errors.Is(err, train.ErrInterrupted) && i < len(stops) {
			continue
		}
		if err != nil || i < len(stops) {
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
	compared, err := p.scorer.compare(p.referenceScorer, sequences([]Instruction{b.in}, answers))
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
	if compared, err = p.scorer.compare(p.referenceScorer, sequences([]Instruction{b.in}, answers)); err != nil {
		t.Fatal(err)
	}
	if err := p.checkSampler(answers, compared.logProbs); err != nil {
		t.Error(err)
	}
}
