package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"tinygpt/internal/expect"
	"tinygpt/model/op"
)

// tiny is a model of an architecture with weights so large that nothing it computes is small.
func tiny(t *testing.T, arch Arch) *Model {
	t.Helper()
	m, err := New(Config{Arch: arch, Layers: 2, Heads: 3, Width: 15, Context: 9, VocabSize: 11, InitStd: 0.3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// logits runs tokens [B·T] through the graph; the result is [B·T, V].
func logits(t *testing.T, m *Model, tokens []int32, batch int) []float32 {
	t.Helper()
	g := m.NewGraph(batch, len(tokens)/batch, false)
	out := g.Logits()
	return evaluate(t, g, out, tokens)
}

// evaluate runs tokens through a graph and returns the values of a node.
func evaluate(t *testing.T, g *Graph, node *G.Node, tokens []int32) []float32 {
	t.Helper()
	if err := g.Compile(nil); err != nil {
		t.Fatal(err)
	}
	copy(g.Tokens, tokens)
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(node.Value().Data().([]float32))
}

func randomTokens(n, vocab int, seed uint64) []int32 {
	r := rand.New(rand.NewPCG(seed, 0))
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(r.IntN(vocab))
	}
	return out
}

// Changing token t must change no logit before t, and some at t.
func TestCausality(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		m := tiny(t, arch)
		v, tokens := m.Config.VocabSize, randomTokens(m.Config.Context, m.Config.VocabSize, 1)
		before := logits(t, m, tokens, 1)
		for at := range tokens {
			changed := slices.Clone(tokens)
			changed[at] = (changed[at] + 1) % int32(v)
			after := logits(t, m, changed, 1)
			if !slices.Equal(before[:at*v], after[:at*v]) {
				t.Errorf("%s: token %d changed a logit before it", arch, at)
			}
			if slices.Equal(before[at*v:(at+1)*v], after[at*v:(at+1)*v]) {
				t.Errorf("%s: token %d didn't change its own logits", arch, at)
			}
		}
	}
}

// A batch of sequences gives what each gives alone.
func TestBatchIsItsSequences(t *testing.T) {
	m := tiny(t, GPT2)
	n, v := m.Config.Context, m.Config.VocabSize
	tokens := randomTokens(3*n, v, 2)
	together := logits(t, m, tokens, 3)
	for b := range 3 {
		closeTo(t, fmt.Sprint("sequence ", b), together[b*n*v:(b+1)*n*v], logits(t, m, tokens[b*n:(b+1)*n], 1))
	}
}

func closeTo(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-5*(1+math.Abs(float64(want[i])))) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// The estimates are close to what the graphs plan.
func TestActivationBytes(t *testing.T) {
	for _, c := range []Config{
		{Layers: 3, Heads: 2, Width: 32, Context: 16, VocabSize: 40},
		{Layers: 12, Heads: 4, Width: 64, Context: 16, VocabSize: 65},
		{Layers: 2, Heads: 4, Width: 32, Context: 16, VocabSize: 2000},
		{Layers: 4, Heads: 1, Width: 128, Context: 8, VocabSize: 512, Dropout: 0.1},
	} {
		for _, c.Arch = range []Arch{GPT1, GPT2} {
			m, err := New(c, 1)
			if err != nil {
				t.Fatal(err)
			}
			g := m.NewGraph(4, c.Context, true)
			targets, _ := g.Indices("targets", 4*c.Context)
			if err := g.Compile(g.CrossEntropy(g.Logits(), targets)); err != nil {
				t.Fatal(err)
			}
			got, want := float64(c.ActivationBytes(4, c.Context)), float64(g.Bytes())
			if got < 0.93*want || got > 1.07*want {
				t.Errorf("%+v: the estimate is %.0f bytes, the graph holds %.0f", c, got, want)
			}
		}
	}
}

// Buffers that share memory don't disturb each other: gradients have the bits that they have in a
// graph where every buffer has memory of its own.
func TestPlanChangesNoBit(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		for _, c := range []Config{
			{Arch: arch, Layers: 3, Heads: 2, Width: 16, Context: 8, VocabSize: 11},
			{Arch: arch, Layers: 2, Heads: 1, Width: 8, Context: 5, VocabSize: 70, Dropout: 0.2, UntiedHead: true},
		} {
			gradients := func(planned bool) (loss float32, grads [][]float32, bytes int64) {
				m, err := New(c, 4)
				if err != nil {
					t.Fatal(err)
				}
				g := m.NewGraph(3, c.Context, true)
				targets, ids := g.Indices("targets", 3*c.Context)
				node := g.CrossEntropy(g.Logits(), targets)
				if planned {
					err = g.Compile(node)
				} else {
					if err = g.Grad(node, g.params); err == nil {
						g.machine, err = op.NewMachine(g.Graph)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				g.SetDropoutSeed(9)
				copy(g.Tokens, randomTokens(3*c.Context, c.VocabSize, 5))
				copy(ids, randomTokens(3*c.Context, c.VocabSize, 6))
				for range 2 { // the second run finds the memory used
					m.ZeroGrad()
					if err := g.Run(); err != nil {
						t.Fatal(err)
					}
				}
				for _, p := range m.Parameters {
					grads = append(grads, p.Grad.Float32s())
				}
				return node.Value().Data().(float32), grads, g.Bytes()
			}
			loss, grads, bytes := gradients(true)
			wantLoss, want, unplanned := gradients(false)
			if loss != wantLoss {
				t.Errorf("%+v: loss %v, without a plan %v", c, loss, wantLoss)
			}
			for i := range want {
				if !slices.Equal(grads[i], want[i]) {
					t.Errorf("%+v: gradient %d differs from that without a plan", c, i)
				}
			}
			if bytes > unplanned*3/4 {
				t.Errorf("%+v: the plan takes %d bytes, %d without sharing", c, bytes, unplanned)
			}
		}
	}
}

// The numbers of parameters of the published models, exactly.
func TestParameterCount(t *testing.T) {
	for _, c := range []struct {
		arch                 Arch
		layers, width, heads int
		vocab, context       int
		want                 int64
	}{
		{GPT1, 12, 768, 12, 40478, 512, 116534784},
		{GPT2, 12, 768, 12, 50257, 1024, 124439808},
		{GPT2, 24, 1024, 16, 50257, 1024, 354823168},
		{GPT2, 36, 1280, 20, 50257, 1024, 774030080},
		{GPT2, 48, 1600, 25, 50257, 1024, 1557611200},
	} {
		got := Config{Arch: c.arch, Layers: c.layers, Width: c.width, Heads: c.heads, VocabSize: c.vocab, Context: c.context}.ParameterCount()
		if got != c.want {
			t.Errorf("%+v: %d parameters", c, got)
		}
	}
}

// Counts by kind: of GPT-2's smallest model by the formulas, and their sum for models that are made.
func TestCounts(t *testing.T) {
	const l, d = 12, 768
	got := Config{Arch: GPT2, Layers: l, Width: d, Heads: 12, VocabSize: 50257, Context: 1024}.Counts()
	want := ParameterCounts{Embedding: 50257 * d, Positions: 1024 * d, Attention: l * (4*d*d + 4*d), MLP: l * (8*d*d + 5*d), LayerNorm: l*4*d + 2*d}
	if got != want || got.NonEmbedding() != 85056000 {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, c := range []Config{
		{Arch: GPT1, Layers: 2, Width: 12, Heads: 2, VocabSize: 31, Context: 5},
		{Arch: GPT2, Layers: 3, Width: 8, Heads: 2, VocabSize: 31, Context: 5, UntiedHead: true},
	} {
		m, err := NewZero(c)
		if err != nil {
			t.Fatal(err)
		}
		var made int64
		for _, p := range m.Parameters {
			made += int64(len(p.Value.Float32s()))
		}
		n := c.Counts()
		if n.Total() != made || (n.Head > 0) != c.UntiedHead {
			t.Errorf("%+v: %+v, and %d are made", c, n, made)
		}
	}
}

// Before training a model's loss is what LossAtStart estimates.
func TestLossAtStart(t *testing.T) {
	m, err := New(Config{Arch: GPT2, Layers: 2, Heads: 2, Width: 32, Context: 16, VocabSize: 101}, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := m.NewGraph(64, 16, true)
	targets, backing := g.Indices("targets", 1024)
	loss := g.CrossEntropy(g.Logits(), targets)
	if err := g.Compile(loss); err != nil {
		t.Fatal(err)
	}
	copy(g.Tokens, randomTokens(1024, 101, 1))
	copy(backing, randomTokens(1024, 101, 2))
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
	if got := float64(loss.Value().Data().(float32)); math.Abs(got-m.Config.LossAtStart()) > 0.1 {
		t.Errorf("loss %.3f, want about %.3f", got, m.Config.LossAtStart())
	}
	g.Tokens[3] = 101
	expect.Error(t, g.Run(), "token 101 at position 3")
}

func TestInitialisation(t *testing.T) {
	c := Config{Arch: GPT2, Layers: 8, Heads: 2, Width: 64, Context: 16, VocabSize: 300}
	m, _ := New(c, 1)
	std := 0.02 * math.Sqrt(12) // 768 is 12 · 64
	for name, want := range map[string]float64{"wte.weight": std, "h.3.mlp.c_fc.weight": std, "h.3.mlp.c_proj.weight": std / 4, "h.7.attn.c_proj.weight": std / 4} {
		var sum, square float64
		w := m.Parameter(name).Value.Float32s()
		for _, x := range w {
			sum += float64(x)
			square += float64(x) * float64(x)
		}
		n := float64(len(w))
		if std := math.Sqrt(square / n); math.Abs(std/want-1) > 0.05 || math.Abs(sum/n) > want/10 {
			t.Errorf("%s: mean %.4f, deviation %.4f, want 0 and %.4f", name, sum/n, std, want)
		}
	}
	same, _ := New(c, 1)
	other, _ := New(c, 2)
	if !slices.Equal(m.Parameters[0].Value.Float32s(), same.Parameters[0].Value.Float32s()) || slices.Equal(m.Parameters[0].Value.Float32s(), other.Parameters[0].Value.Float32s()) {
		t.Error("weights aren't a function of the seed")
	}
}

func TestConfigErrors(t *testing.T) {
	good := Config{Arch: GPT2, Layers: 1, Heads: 4, Width: 8, Context: 4, VocabSize: 5}
	for want, spoil := range map[string]func(c *Config){
		`model.arch is "bert"`: func(c *Config) { c.Arch = "bert" },
		"model.layers is 0":    func(c *Config) { c.Layers = 0 },
		"model.heads is 3, which doesn't divide model.width 8: each head gets width/heads columns; try heads 2": func(c *Config) { c.Heads = 3 },
		"model.dropout is 1":  func(c *Config) { c.Dropout = 1 },
		"model.context is -1": func(c *Config) { c.Context = -1 },
	} {
		c := good
		spoil(&c)
		_, err := New(c, 1)
		expect.Error(t, err, want)
	}
}
