package train

import (
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
}

// Group is a set of parameters with the same settings.
type Group struct {
	Parameters []*model.Parameter
	// WeightDecay is the decoupled decay (Loshchilov and Hutter 2019): each update
	// multiplies the parameters by 1 − rate·WeightDecay.
	WeightDecay float64
}

// Update is what one update of all groups has in common.
type Update struct {
	Step         int // updates made before this one
	LearningRate float64
	// GradScale multiplies the gradients before they are used: 1/batches for a mean,
	// times what clips their norm.
	GradScale float64
}

// Groups divides parameters by the settings of c: weight decay acts on matrices and
// embeddings, not on biases and gains.
func (c Config) Groups(params []*model.Parameter) []Group {
	decayed, rest := Group{WeightDecay: c.WeightDecay}, Group{}
	for _, p := range params {
		g := &rest
		if p.Decays() {
			g = &decayed
		}
		g.Parameters = append(g.Parameters, p)
	}
	return []Group{decayed, rest}
}

// ClipScale returns the factor that brings a gradient of the given norm down to at most
// clip (Pascanu et al. 2013); clip 0 means no bound.
func ClipScale(norm, clip float64) float64 {
	if clip == 0 {
		return 1
	}
	return min(1, clip/(norm+1e-6))
}
