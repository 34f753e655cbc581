package run

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"tinygpt/configs"
	"tinygpt/internal/suggest"
	"tinygpt/train"
)

// The reference curve of a preset is recorded from a run of it; reference/README.md says
// how.
//
//go:embed reference
var references embed.FS

// Reference is a run to compare with.
type Reference struct {
	Preset  string
	Config  configs.Config // as in the run's folder
	Found   Found
	Metrics []train.Metrics
}

// Curve returns the reference as DrawCurves takes it.
func (r *Reference) Curve() Curve {
	return Curve{Name: "reference: " + r.Preset, Points: r.Metrics, Reference: true}
}

// References lists the presets that have a reference curve.
func References() (presets []string) {
	entries, _ := references.ReadDir("reference")
	for _, e := range entries {
		if e.IsDir() {
			presets = append(presets, e.Name()+".yaml")
		}
	}
	return presets
}

// ReferenceOf returns the reference curve of a preset.
func ReferenceOf(preset string) (*Reference, error) {
	dir := path.Join("reference", strings.TrimSuffix(preset, ".yaml"))
	text, err := references.ReadFile(path.Join(dir, "config.yaml"))
	if err != nil {
		return nil, fmt.Errorf("no reference curve of %q: %s", preset, suggest.Expected(preset, References()...))
	}
	r := &Reference{Preset: preset}
	if r.Config, err = configs.Parse(text, path.Join(dir, "config.yaml")); err != nil {
		return nil, err
	}
	if r.Found, err = parseFound(text, path.Join(dir, "config.yaml")); err != nil {
		return nil, err
	}
	metrics, err := references.Open(path.Join(dir, "metrics.jsonl"))
	if err != nil {
		return nil, err
	}
	defer metrics.Close()
	r.Metrics, err = train.ParseMetrics(metrics, path.Join(dir, "metrics.jsonl"))
	return r, err
}

// ReferenceFor returns the reference curve whose losses can be compared with those of a
// run: the same model, tokenizer and text, however it was trained. It returns nil if there
// is none.
func ReferenceFor(run *Run) (*Reference, error) {
	for _, preset := range References() {
		r, err := ReferenceOf(preset)
		if err != nil {
			return nil, err
		}
		model := run.Config.Model
		model.Dropout, model.InitStd, model.InitPositions = r.Config.Model.Dropout, r.Config.Model.InitStd, r.Config.Model.InitPositions
		if run.Kind == Text && run.Found.TextSHA256 == r.Found.TextSHA256 && run.Found.TokenizerSHA256 == r.Found.TokenizerSHA256 && model == r.Config.Model {
			return r, nil
		}
	}
	return nil, nil
}
