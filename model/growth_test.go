package model

import (
	"math"
	"slices"
	"testing"
)

// A GPT-2 whose later layers are silent computes what its first layers compute, and
// training them changes both.
func TestSilenceLayers(t *testing.T) {
	m, err := New(Config{Arch: GPT2, Layers: 4, Heads: 2, Width: 16, Context: 8, VocabSize: 11}, 1)
	if err != nil {
		t.Fatal(err)
	}
	logits := func(m *Model) []float32 {
		g := m.NewGraph(1, 8, false)
		out := g.Logits()
		if err := g.Compile(nil); err != nil {
			t.Fatal(err)
		}
		for i := range g.Tokens {
			g.Tokens[i] = int32(i)
		}
		if err := g.Run(); err != nil {
			t.Fatal(err)
		}
		return slices.Clone(out.Value().Data().([]float32))
	}
	first := m.FirstLayers(3)
	if first.Config.Layers != 3 || len(first.Parameters) != len(m.Parameters)-12 || first.Parameter("h.3.ln_1.bias") != nil {
		t.Fatalf("%d layers, %d of %d parameters", first.Config.Layers, len(first.Parameters), len(m.Parameters))
	}
	if slices.Equal(logits(m), logits(first)) {
		t.Error("the last layer adds nothing before it is silenced")
	}
	m.SilenceLayers(3)
	if !slices.Equal(logits(m), logits(first)) {
		t.Error("the last layer still adds something")
	}
	before := logits(m)
	first.Parameter("wte.weight").Value.Float32s()[20]++
	if after := logits(m); slices.Equal(before, after) || !slices.Equal(after, logits(first)) {
		t.Error("the parameters are no longer shared")
	}
}

// Each row of a sinusoidal table, and each distance between neighbours, has the same
// length; the mean square is InitStd's.
func TestSinusoids(t *testing.T) {
	c := Config{Arch: GPT2, Layers: 1, Heads: 2, Width: 32, Context: 50, VocabSize: 11, InitStd: 0.07, InitPositions: Sinusoids}
	m, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	v := m.Parameter("wpe.weight").Value.Float32s()
	row := func(i int) []float32 { return v[i*32:][:32] }
	distance := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]-b[i]) * float64(a[i]-b[i])
		}
		return sum
	}
	zero := make([]float32, 32)
	for i := range 49 {
		if got := distance(row(i), zero) / 32; math.Abs(got-0.07*0.07) > 1e-8 {
			t.Errorf("row %d: mean square %v, want %v", i, got, 0.07*0.07)
		}
		if got, want := distance(row(i), row(i+1)), distance(row(0), row(1)); math.Abs(got/want-1) > 1e-4 {
			t.Errorf("row %d is %v from the next, the first %v", i, got, want)
		}
	}
	// PE(3, 1): the second frequency is 10000^(-1/16) = 0.5623.
	if got, want := float64(row(3)[1]), 0.07*math.Sqrt2*math.Sin(3*0.562341325); math.Abs(got-want) > 1e-7 {
		t.Errorf("sine %v, want %v", got, want)
	}
	c.InitPositions = "cosines"
	if err := c.Validate(); err == nil {
		t.Error("cosines are accepted")
	}
}

func TestIsTable(t *testing.T) {
	for name, want := range map[string]bool{
		"wte.weight": true, "wpe.weight": true, "tokens_embed.weight": true, "positions_embed.weight": true, "lm_head.weight": true,
		"h.0.attn.c_attn.weight": false, "ln_f.weight": false, "score.weight": false,
	} {
		if got := IsTable(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
