package model

import (
	"slices"
	"strings"
	"testing"

	"tinygpt/internal/expect"
)

// A larger vocabulary takes the rows of a smaller one, and keeps its own values in the others.
func TestCopyFrom(t *testing.T) {
	for _, arch := range []Arch{GPT1, GPT2} {
		old := tiny(t, arch)
		c := old.Config
		c.VocabSize += 3
		m, err := New(c, 2)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _ := New(c, 2)
		if err := m.CopyFrom(old); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Parameters {
			want := slices.Clone(old.Parameter(p.Name).Value.Float32s())
			want = append(want, fresh.Parameter(p.Name).Value.Float32s()[len(want):]...)
			if !slices.Equal(p.Value.Float32s(), want) {
				t.Errorf("%s: %s isn't the old model's with new rows", arch, p.Name)
			}
		}
		expect.Error(t, old.CopyFrom(m), "has shape (14, 15) in the other model, here (11, 15)")
	}
}

// Frozen parameters have no gradient, and the other gradients are those of a model without frozen
// parameters.
func TestFreeze(t *testing.T) {
	gradients := func(m *Model) map[string][]float32 {
		m.AddHead(3, 1)
		g := m.NewGraph(2, 4, true)
		targets, labels := g.Indices("targets", 8)
		loss := g.CrossEntropy(g.Head(g.Hidden), targets)
		if err := g.Compile(loss); err != nil {
			t.Fatal(err)
		}
		copy(g.Tokens, []int32{3, 1, 2, 10, 4, 4, 0, 2})
		copy(labels, []int32{0, 1, 2, 0, 1, 2, 0, 1})
		if err := g.Run(); err != nil {
			t.Fatal(err)
		}
		out := map[string][]float32{}
		for _, p := range m.Parameters {
			if _, grad := p.Trained(); grad != nil {
				out[p.Name] = slices.Clone(grad)
			}
		}
		return out
	}
	for _, arch := range []Arch{GPT1, GPT2} {
		whole := gradients(tiny(t, arch))
		for n := range 3 {
			m := tiny(t, arch)
			m.FreezeLayers(n)
			got := gradients(m)
			for name, grad := range got {
				if !slices.Equal(grad, whole[name]) {
					t.Errorf("%s with %d frozen layers: the gradient of %s is another", arch, n, name)
				}
			}
			for name := range whole {
				_, has := got[name]
				layer := int(name[2] - '0')
				want := strings.HasPrefix(name, "score.") || strings.HasPrefix(name, "h.") && layer >= n || strings.HasPrefix(name, "ln_f") && n < 2
				if has != want {
					t.Errorf("%s with %d frozen layers: %s has a gradient: %v", arch, n, name, has)
				}
			}
		}
		m := tiny(t, arch)
		m.FreezeEmbeddings(m.Config.VocabSize - 1)
		got := gradients(m)
		table := namesOf(arch).tokens
		if want := whole[table][(m.Config.VocabSize-1)*m.Config.Width:]; !slices.Equal(got[table], want) {
			t.Errorf("%s: the gradient of the token that isn't frozen is %v, want %v", arch, got[table], want)
		}
		if got[namesOf(arch).positions] != nil {
			t.Errorf("%s: positions aren't frozen", arch)
		}
	}
}
