package run

import (
	"math"
	"strings"
	"testing"

	"tinygpt/configs"
	"tinygpt/internal/expect"
)

// A reference curve is one of its preset as it is now.
func TestReferences(t *testing.T) {
	if got := strings.Join(References(), " "); got != "shakespeare.yaml small.yaml small-zh.yaml" {
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
		// What a run settles.
		preset.Model.VocabSize, preset.Data.Files = r.Config.Model.VocabSize, r.Config.Data.Files
		preset.Sample = r.Config.Sample // how it writes doesn't move the curve
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
		one := &Run{Kind: Text, Config: r.Config, Found: r.Found}
		one.Config.Train.LearningRate, one.Config.Model.Dropout = 1, 0.5
		if found, err := ReferenceFor(one); err != nil || found == nil || found.Preset != name {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
		for what, change := range map[string]func(r *Run){
			"layers": func(r *Run) { r.Config.Model.Layers++ },
			"text":   func(r *Run) { r.Found.TextSHA256 = "other" },
			"tokens": func(r *Run) { r.Found.TokenizerSHA256 = "other" },
			"kind":   func(r *Run) { r.Kind = PPO },
		} {
			other := *one
			change(&other)
			if found, err := ReferenceFor(&other); err != nil || found != nil {
				t.Errorf("%s with other %s: found %v, %v", name, what, found, err)
			}
		}
	}
	_, err := ReferenceOf("gpt1.yaml")
	expect.Error(t, err, "expected shakespeare.yaml, small.yaml or small-zh.yaml")
}
