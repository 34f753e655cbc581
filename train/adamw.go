package train

import (
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// AdamW is Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter
// 2019). Its state is the moments of each parameter's gradient. Without any yet it is
// ready for the first update.
type AdamW struct {
	Beta1, Beta2, Epsilon float64

	moments map[string]*moments
	trained []kernel.Trained // memory of the last update
}

// NewAdamW returns an AdamW with the settings of c.
func NewAdamW(c Config) *AdamW {
	return &AdamW{Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon}
}

// moments are the running means of a gradient and of its square.
type moments struct{ mean, square []float32 }

// of returns the moments of p, zero at first.
func (a *AdamW) of(p *model.Parameter) *moments {
	if a.moments == nil {
		a.moments = map[string]*moments{}
	}
	m := a.moments[p.Name]
	if m == nil {
		n := p.Value.Shape().TotalSize()
		m = &moments{kernel.Memory(n), kernel.Memory(n)}
		a.moments[p.Name] = m
	}
	return m
}

// Update makes one update; see Optimiser. The bias corrections of a group count its own
// updates.
func (a *AdamW) Update(groups []Group, u Update) {
	for _, g := range groups {
		a.trained = a.trained[:0]
		for _, p := range g.Parameters {
			value, grad := p.Trained()
			if grad == nil {
				continue
			}
			m := a.of(p)
			a.trained = append(a.trained, kernel.Trained{
				Param: value, Grad: grad, M: m.mean[p.Frozen:], V: m.square[p.Frozen:], WeightDecay: float32(g.WeightDecay),
			})
		}
		kernel.AdamW{
			LR: float32(u.LearningRate * g.RateFactor), Beta1: float32(a.Beta1), Beta2: float32(a.Beta2), Eps: float32(a.Epsilon),
			GradScale: float32(u.GradScale), Step: u.Step + 1 - g.First,
		}.Update(a.trained...)
	}
}

// Divides says that pieces of any parameter can be updated by themselves.
func (a *AdamW) Divides(*model.Parameter) bool { return true }

// State returns the two moments of p's gradient.
func (a *AdamW) State(p *model.Parameter) []safetensors.Tensor {
	m, shape := a.of(p), []int(p.Value.Shape())
	return []safetensors.Tensor{
		{Name: "adamw.mean." + p.Name, Shape: shape, Data: m.mean},
		{Name: "adamw.square." + p.Name, Shape: shape, Data: m.square},
	}
}
