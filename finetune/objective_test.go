package finetune

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tinygpt/data/labelled"
	"tinygpt/model"
	"tinygpt/model/op"
	"tinygpt/train"
)

// first is a rule that a word tells.
func first(r *rand.Rand) labelled.Example {
	l := letters(r, 1+r.IntN(6), 20)
	return labelled.Example{Texts: []string{strings.Join(l, "")}, Label: string(l[0][0]%2 + '0')}
}

// compile makes the graph of a session's first batch.
func compile(t *testing.T, s *Session) (*model.Graph, *Objective) {
	t.Helper()
	o := &Objective{Setup: s.Setup, Special: s.Special, Batches: s.batches}
	shape := o.Shapes()[o.Bucket(0, 0)]
	g := s.Model.NewGraph(shape.Batch, shape.Context, true)
	if err := g.Compile(o.Build(g)); err != nil {
		t.Fatal(err)
	}
	o.Fill(g, 0, 0)
	return g, o
}

// L1 predicts the example's own tokens: no special token, nothing that is padded.
func TestOwnTokens(t *testing.T) {
	c := Default()
	c.Task = "entailment"
	s := session(t, c, sets(20, func(r *rand.Rand) labelled.Example {
		e := first(r)
		e.Texts = append(e.Texts, strings.Join(letters(r, 3, 20), ""))
		return e
	}), 1)
	g, o := compile(t, s)
	_, items := o.Batches.At(0, 0)
	next := o.graphs[g].next
	for i, it := range items {
		seq := it.Sequences[0]
		for at := range g.Context {
			want := int32(op.Ignore)
			if at+1 < len(seq) && !s.Special.has(seq[at+1]) {
				want = seq[at+1]
			}
			if got := next[i*g.Context+at]; got != want {
				t.Fatalf("example %d, token %d: target %d, want %d", i, at, got, want)
			}
		}
	}
	for i := len(items) * g.Context; i < len(next); i++ {
		if next[i] != op.Ignore {
			t.Fatal("a row without an example has a target")
		}
	}
}

// λ = 0 leaves the language model out of the graph: its logits need no memory.
func TestWithoutL1(t *testing.T) {
	c := Default()
	c.Task = "classification"
	x := sets(40, first)
	with, _ := compile(t, session(t, c, x, 1))
	c.Lambda = 0
	s := session(t, c, x, 1)
	without, o := compile(t, s)
	logits := int64(4 * without.Batch * without.Context * s.Model.Config.VocabSize)
	if saved := with.Bytes() - without.Bytes(); saved < logits {
		t.Errorf("without L1 the graph has %d bytes less, expected the logits' %d or more", saved, logits)
	}
	if l1, l2 := o.Losses(without); l1 != nil || l2 == nil {
		t.Error("there is an L1 although λ is 0")
	}
	if err := without.Run(); err != nil {
		t.Fatal(err)
	}
}

// Padding changes nothing: the loss of a batch in a longer bucket is the same.
func TestPadding(t *testing.T) {
	c := Default()
	c.Task, c.Buckets = "classification", 1
	s := session(t, c, sets(40, first), 1)
	loss := func(length int) float64 {
		s.batches.Lengths = []int{length}
		g, _ := compile(t, s)
		for i := range g.Tokens {
			if g.Tokens[i] == 0 {
				g.Tokens[i] = int32(length) // any token pads
			}
		}
		if err := g.Run(); err != nil {
			t.Fatal(err)
		}
		return s.Model.GradNorm()
	}
	a := loss(8)
	s.Model.ZeroGrad()
	if b := loss(24); math.Abs(a-b) > 1e-5*a {
		t.Errorf("the gradient's norm is %v, padded more %v", a, b)
	}
}

// The loss and the gradient of an update don't depend on the number of batches that it is
// divided into: 1 × 8, 2 × 4 and 8 × 1 are the same to rounding, also where examples have
// different numbers of labels and tokens, and where the last update is not full.
func TestAccumulation(t *testing.T) {
	for _, k := range []struct {
		config Config
		draw   func(r *rand.Rand) labelled.Example
	}{
		{Config{Task: "classification"}, first},
		{Config{Task: "classification", Head: Regression}, func(r *rand.Rand) labelled.Example {
			e := first(r)
			e.Label = strconv.Itoa(r.IntN(5))
			return e
		}},
		{Config{Task: "similarity"}, func(r *rand.Rand) labelled.Example {
			e := first(r)
			e.Texts = append(e.Texts, "xyz"[:1+r.IntN(3)])
			return e
		}},
		{Config{Task: "choice"}, func(r *rand.Rand) labelled.Example {
			e := labelled.Example{Texts: letters(r, 1, 20), Label: "0"}
			for range 2 + r.IntN(4) {
				e.Choices = append(e.Choices, strings.Join(letters(r, 1+r.IntN(6), 20), ""))
			}
			return e
		}},
		{Config{Task: "tagging", Metric: "accuracy"}, func(r *rand.Rand) labelled.Example {
			e := labelled.Example{Tokens: letters(r, 1+r.IntN(12), 20)}
			for _, w := range e.Tokens {
				e.Tags = append(e.Tags, string(w[0]%2+'0'))
			}
			return e
		}},
	} {
		for _, lambda := range []float64{0, 0.5} {
			c := Default()
			c.Task, c.Head, c.Metric, c.Lambda = k.config.Task, k.config.Head, k.config.Metric, lambda
			x := sets(21, k.draw) // updates of 8, 8 and 5
			type update struct{ loss, norm float64 }
			var want []update
			for _, division := range [][2]int{{8, 1}, {4, 2}, {1, 8}} {
				whole := session(t, c, x, 1)
				cfg := whole.Train
				cfg.BatchSize, cfg.GradientAccumulationSteps = division[0], division[1]
				s := NewSession(whole.Model, whole.Setup, cfg, whole.Special, Sets{whole.TrainItems, whole.DevItems, whole.TestItems})
				s.Dir = t.TempDir()
				var got []update
				for range s.Train.Steps {
					m, err := s.start().Step(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, update{m.Loss, m.GradNorm})
				}
				if want == nil {
					want = got
				}
				for i, u := range got {
					near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-4*(math.Abs(a)+math.Abs(b)) }
					if len(got) != 3 || len(want) != 3 || !near(u.loss, want[i].loss) || !near(u.norm, want[i].norm) {
						t.Errorf("%s, λ = %v, update %d of %d × %d: %+v, of 1 × 8: %+v", c.Task, lambda, i, division[1], division[0], got, want)
						break
					}
				}
			}
		}
	}
}

// A linear probe leaves every weight as it is but those of the head; frozen embeddings
// stay but for the new tokens'.
func TestFreezing(t *testing.T) {
	for name, freeze := range map[string]func(c *Config){
		"linear probe": func(c *Config) { c.FreezeLayers = 2 },
		"embeddings":   func(c *Config) { c.FreezeEmbeddings = true },
	} {
		c := Default()
		c.Task = "classification"
		freeze(&c)
		s := session(t, c, sets(200, first), 2)
		before := map[string][]float32{}
		for _, p := range s.Model.Parameters {
			before[p.Name] = slices.Clone(p.Value.Float32s())
		}
		if _, err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		changed := func(name string, from int) bool {
			return !slices.Equal(before[name][from:], s.Model.Parameter(name).Value.Float32s()[from:])
		}
		known := int(s.Special.Start) * s.Model.Config.Width
		for _, p := range s.Model.Parameters {
			want := strings.HasPrefix(p.Name, model.ScoreHead)
			if c.FreezeEmbeddings {
				want = p.Name != "wpe.weight"
			}
			if changed(p.Name, 0) != want {
				t.Errorf("%s: %s changed: %v", name, p.Name, !want)
			}
		}
		if c.FreezeEmbeddings && slices.Equal(before["wte.weight"][:known], s.Model.Parameter("wte.weight").Value.Float32s()[:known]) != true {
			t.Errorf("%s: a known token's embedding changed", name)
		}
		if c.FreezeLayers > 0 && s.Setup.Lambda != 0 {
			t.Errorf("a linear probe computes L1, which changes nothing")
		}
	}
	c := Default()
	c.Task, c.FreezeLayers = "classification", 3
	if _, err := NewModel(model.Config{Arch: model.GPT2, Layers: 2, Heads: 1, Width: 4, Context: 8, VocabSize: 9}, nil, &Setup{Config: c}, testSpecial, 1); err == nil {
		t.Error("3 of 2 layers are frozen")
	}
}

// A fine-tuning that was interrupted and resumed has the weights and the results of
// one that was not; the test set is measured once, with the best checkpoint.
func TestResume(t *testing.T) {
	c := Default()
	c.Task = "classification"
	x := sets(200, first)
	whole := session(t, c, x, 3)
	want, err := whole.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Write(want); err != nil {
		t.Fatal(err)
	}
	half := session(t, c, x, 3)
	ctx, cancel := context.WithCancel(context.Background())
	half.Report = train.StopAt(7, cancel)
	if r, err := half.Run(ctx); !errors.Is(err, train.ErrInterrupted) || r.State.Step != 7 || r.Test != nil {
		t.Fatalf("stopped at step %d: %v", r.State.Step, err)
	}
	rest := session(t, c, x, 3)
	rest.Dir = half.Dir
	if steps, err := rest.Resume(); err != nil || steps != 7 {
		t.Fatalf("resumed at step %d: %v", steps, err)
	}
	got, err := rest.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got.Test.String() != want.Test.String() || got.State.BestStep != want.State.BestStep {
		t.Errorf("resumed: %s at step %d, whole: %s at step %d", got.Test, got.State.BestStep, want.Test, want.State.BestStep)
	}
	for i, p := range rest.Model.Parameters {
		if !slices.Equal(p.Value.Float32s(), whole.Model.Parameters[i].Value.Float32s()) {
			t.Errorf("%s differs", p.Name)
		}
	}
}
