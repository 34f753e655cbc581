package model

import (
	"fmt"
	"os"
	"reflect"
	"testing"
)

// settings change what a model computes. Each is tried in a decoder and in Hugging Face's
// format, which has it or refuses it.
var settings = map[string]func(*Config){
	"Activation":       func(c *Config) { c.Activation = ReLU },
	"InnerWidth":       func(c *Config) { c.InnerWidth = 24 },
	"LayerNormEpsilon": func(c *Config) { c.LayerNormEpsilon = 0.1 },
	"UntiedHead":       func(c *Config) { c.UntiedHead = true },
}

// otherFields of Config are sizes, which every model has, and those that only a training or a
// model's beginning depends on.
var otherFields = []string{"Arch", "Layers", "Heads", "Width", "Context", "VocabSize", "Dropout", "InitStd", "InitPositions"}

// with is a tiny model with a setting, "" for none, whose gains and biases are no zeros and
// ones.
func with(t *testing.T, arch Arch, setting string) *Model {
	t.Helper()
	c := tiny(t, arch).Config
	if setting != "" {
		settings[setting](&c)
	}
	m, err := New(c, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parameters {
		if len(p.Value.Shape()) == 1 {
			for i := range p.Value.Float32s() {
				p.Value.Float32s()[i] += 0.4*float32(i%3) - 0.3
			}
		}
	}
	return m
}

// Every field of Config is in one of the lists above, and every setting does something. A
// decoder computes what the graph computes. What is written for transformers computes the same
// when it is read again, or writing it is refused.
func TestSettings(t *testing.T) {
	known := map[string]bool{}
	for _, name := range otherFields {
		known[name] = true
	}
	for name := range settings {
		known[name] = true
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if !known[f.Name] {
			t.Errorf("Config.%s is in no list of this test", f.Name)
		}
	}
	for _, arch := range []Arch{GPT1, GPT2} {
		plain := with(t, arch, "")
		tokens := randomTokens(plain.Config.Context, plain.Config.VocabSize, 3)
		for name := range settings {
			m := with(t, arch, name)
			what := fmt.Sprintf("%s with %s", arch, name)
			want := next(t, m, tokens)
			if reflect.DeepEqual(want, next(t, plain, tokens)) {
				t.Errorf("%s: the setting changes nothing", what)
			}
			d := m.NewDecoder(1)
			appendTo(t, d, Input{Tokens: tokens})
			closeTo(t, what+" in a decoder", d.Logits(0), want)
			dir := t.TempDir()
			if m.WriteHuggingFace(dir, "", -1, nil) != nil {
				continue
			}
			back, _, err := ReadHuggingFace(os.DirFS(dir), nil)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			closeTo(t, what+" as Hugging Face's files", next(t, back, tokens), want)
		}
	}
}
