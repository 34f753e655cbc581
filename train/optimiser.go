package train

import (
	"slices"

	"tinygpt/model"
	"tinygpt/model/safetensors"
)

// Optimiser changes parameters by their gradients.
type Optimiser interface {
	// Update makes one update of the parameters of all groups. Parameters without a
	// gradient, and the frozen part of a parameter, stay as they are.
	Update(groups []Group, u Update)
	// State returns what the optimiser keeps of p from one update to the next, as named
	// tensors over its own memory, zero before the first update. A checkpoint writes
	// them, and a resumed run reads them back into that memory.
	State(p *model.Parameter) []safetensors.Tensor
	// Divides says whether an update of a piece of p needs that piece alone, so that
	// processes that share a training can have a piece each. Otherwise one has all of p.
	Divides(p *model.Parameter) bool
}

// The optimisers.
const (
	AdamWName = "adamw"
	MuonName  = "muon"
)

// NewOptimiser returns the optimiser that c names.
func NewOptimiser(c Config) Optimiser {
	if c.Optimiser == MuonName {
		return NewMuon(c)
	}
	return NewAdamW(c)
}

// Group is a set of parameters with the same settings.
type Group struct {
	Parameters []*model.Parameter
	// RateFactor multiplies the learning rate.
	RateFactor float64
	// WeightDecay is the decoupled decay (Loshchilov and Hutter 2019): each update
	// multiplies the parameters by 1 − rate·WeightDecay.
	WeightDecay float64
	// First is the number of the first update of these parameters, counted from 0.
	First int
}

// Update is what one update of all groups has in common.
type Update struct {
	Step         int // the number of the update, counted from 0
	LearningRate float64
	// GradScale multiplies the gradients before they are used: 1/batches for a mean,
	// times what clips their norm.
	GradScale float64
}

// Groups divides parameters by their settings. first returns the number of the first
// update of a parameter, counted from 0; nil means 0 for all.
func (c Config) Groups(params []*model.Parameter, first func(*model.Parameter) int) []Group {
	layers := 0
	for _, p := range params {
		if layer, ok := model.LayerOf(p.Name); ok {
			layers = max(layers, layer+1)
		}
	}
	var groups []Group
	for _, p := range params {
		g := Group{RateFactor: c.RateFactors.of(p, layers)}
		if p.Decays() {
			g.WeightDecay = c.WeightDecay
		}
		if first != nil {
			g.First = first(p)
		}
		i := slices.IndexFunc(groups, func(h Group) bool {
			return h.RateFactor == g.RateFactor && h.WeightDecay == g.WeightDecay && h.First == g.First
		})
		if i < 0 {
			i, groups = len(groups), append(groups, g)
		}
		groups[i].Parameters = append(groups[i].Parameters, p)
	}
	return groups
}

// ClipScale returns the factor that brings a gradient of the given norm down to at most
// clip (Pascanu et al. 2013); clip 0 means no bound.
func ClipScale(norm, clip float64) float64 {
	if clip == 0 {
		return 1
	}
	return min(1, clip/(norm+1e-6))
}
