package run

import (
	"math"
	"strings"
	"testing"

	"tinygpt/configs"
)

// A reference curve is one of its preset as it is now.
func TestReferences(t *testing.T) {
	if got := strings.Join(References(), " "); got != "shakespeare.yaml small.yaml" {
		t.Errorf("references of %s", got)
	}
	for _, name := range References() {
		r, err := ReferenceOf(name)
		if err != nil {
			t.Fatal(err)
		}
		preset, err := configs.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		// What a run resolves.
		preset.Model.VocabSize, preset.Tokenizer.SHA256 = r.Config.Model.VocabSize, r.Config.Tokenizer.SHA256
		preset.Data.SHA256, preset.Data.Files = r.Config.Data.SHA256, r.Config.Data.Files
		now, _ := preset.Marshal()
		then, _ := r.Config.Marshal()
		if string(now) != string(then) {
			t.Errorf("%s has changed since its reference curve was made: see reference/README.md\nnow:\n%s\nthen:\n%s", name, now, then)
		}
		last, ok := r.Curve().Last()
		best, evaluated := r.Curve().Best()
		if !ok || !evaluated || last.Step != preset.Train.Steps {
			t.Errorf("%s: the curve ends at step %d of %d", name, last.Step, preset.Train.Steps)
		}
		if start := r.Metrics[0]; math.Abs(start.Loss-r.Config.Model.LossAtStart()) > 1.5 || best.ValLoss > start.Loss/2 {
			t.Errorf("%s: from %v to %v", name, start.Loss, best.ValLoss)
		}
		if len(r.Metrics) > 130 {
			t.Errorf("%s: %d lines, it isn't thinned", name, len(r.Metrics))
		}

		// It is found for another training of the same model, and for no other model.
		c := r.Config
		c.Train.LearningRate, c.Model.Dropout = 1, 0.5
		if found, err := ReferenceFor(c); err != nil || found == nil || found.Preset != name {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
		for what, change := range map[string]func(c *configs.Config){
			"layers": func(c *configs.Config) { c.Model.Layers++ },
			"text":   func(c *configs.Config) { c.Data.SHA256 = "other" },
			"tokens": func(c *configs.Config) { c.Tokenizer.SHA256 = "other" },
		} {
			c := r.Config
			change(&c)
			if found, err := ReferenceFor(c); err != nil || found != nil {
				t.Errorf("%s with other %s: found %v, %v", name, what, found, err)
			}
		}
	}
	if _, err := ReferenceOf("gpt1.yaml"); err == nil || !strings.Contains(err.Error(), "expected one of shakespeare.yaml, small.yaml") {
		t.Error(err)
	}
}
