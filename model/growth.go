package model

import "strings"

// A model can grow while it is trained: its first layers learn alone, and later layers
// join as the identity, with output projections of zeros (Gong et al. 2019, "Efficient
// Training of BERT by Progressively Stacking"; Chen et al. 2016, "Net2Net", for the
// function that stays the same). At any time the whole model is an ordinary GPT-2.

// FirstLayers returns the model of the first layers of m, over the same parameters: what
// trains one changes the other. It has no parameters that were added to m, such as heads.
func (m *Model) FirstLayers(layers int) *Model {
	c := m.Config
	c.Layers = layers
	part := &Model{Config: c, byName: map[string]*Parameter{}}
	for _, s := range c.parameters() {
		part.add(m.byName[s.name])
	}
	return part
}

// SilenceLayers sets the output projections of all but the first layers to zero. Such a
// layer adds nothing to the residual stream, so a GPT-2 computes the same as
// FirstLayers(first); all its layers can still learn. It changes what a GPT-1 computes,
// whose layers also normalise.
func (m *Model) SilenceLayers(first int) {
	for _, p := range m.Parameters {
		if layer, ok := LayerOf(p.Name); ok && layer >= first && strings.Contains(p.Name, "c_proj.") {
			clear(p.Value.Float32s())
		}
	}
}
