package ladder

import (
	"fmt"

	"tinygpt/configs"
	"tinygpt/internal/suggest"
)

// baseConfig is what the models of all presets have in common.
const baseConfig = "scaling.yaml"

// preset is a ladder with a name.
type preset struct {
	name      string
	layers    []int
	headWidth int
	tokens    int // that each model sees
	stories   int // the size of the text, in bytes
}

var presets = []preset{
	// Minutes on two cores.
	{"lecture", []int{1, 2, 3, 4, 6, 9}, 16, 1_000_000, 8_000_000},
	// A night on two cores.
	{"overnight", []int{1, 2, 3, 4, 6, 8, 11, 15}, 16, 20_000_000, 100_000_000},
}

// Presets returns the names of the presets.
func Presets() (names []string) {
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// New returns the ladder of a preset, without folder and report. It fails for an unknown
// name.
func New(name string) (*Ladder, error) {
	for _, p := range presets {
		if p.name != name {
			continue
		}
		c, err := configs.Preset(baseConfig)
		if err != nil {
			return nil, err
		}
		c.Data.StoriesBytes = p.stories
		l := &Ladder{Config: c, HeadWidth: p.headWidth, Seeds: 1}
		l.SetTokens(p.tokens)
		return l, l.SetLayers(p.layers)
	}
	return nil, fmt.Errorf("preset %q: %s", name, suggest.Expected(name, Presets()...))
}

// minSizes is the least number of models for a law of three parameters and a prediction.
const minSizes = 4

// SetLayers gives the ladder models with these numbers of layers, by ShapesAt. It needs at
// least four, which must rise.
func (l *Ladder) SetLayers(layers []int) error {
	if len(layers) < minSizes {
		return fmt.Errorf("%d sizes: expected at least %d, three for the law and a larger one to predict", len(layers), minSizes)
	}
	shapes, err := ShapesAt(layers, l.HeadWidth)
	if err == nil {
		l.Shapes = shapes
	}
	return err
}

// SetTokens sets how many tokens each model sees, rounded to whole updates. The warm-up
// keeps its share of them, and evaluations and checkpoints their number.
func (l *Ladder) SetTokens(tokens int) {
	t := &l.Config.Train
	before := t.Steps
	t.Steps = max(tokens/(t.BatchSize*t.GradientAccumulationSteps*l.Config.Model.Context), 1)
	scale := func(steps *int) {
		if *steps > 0 {
			*steps = max(*steps*t.Steps/before, 1)
		}
	}
	scale(&t.WarmupSteps)
	scale(&t.EvalInterval)
	scale(&t.CheckpointInterval)
}
