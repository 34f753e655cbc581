package train

import (
	"tinygpt/model"
	"tinygpt/model/kernel"
)

// AdamW is the optimiser's state: the moments of each parameter's gradient
// (Kingma and Ba 2015, with the decoupled weight decay of Loshchilov and Hutter
// 2019). The zero value is the state before the first update.
type AdamW struct {
	// Steps is the number of updates made.
	Steps   int
	moments map[string]*moments
	trained []kernel.Trained // of the last update: its memory
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

// Update changes the parameters by one step at the rate lr, with their gradients
// times gradScale (1/accumulated batches, and what clips the norm).
func (a *AdamW) Update(params []*model.Parameter, c Config, lr, gradScale float64) {
	a.Steps++
	a.trained = a.trained[:0]
	for _, p := range params {
		value, grad := p.Trained()
		if grad == nil {
			continue
		}
		m := a.of(p)
		t := kernel.Trained{Param: value, Grad: grad, M: m.mean[p.Frozen:], V: m.square[p.Frozen:]}
		if p.Decays() {
			t.WeightDecay = float32(c.WeightDecay)
		}
		a.trained = append(a.trained, t)
	}
	kernel.AdamW{
		LR: float32(lr), Beta1: float32(c.Beta1), Beta2: float32(c.Beta2), Eps: float32(c.Epsilon),
		GradScale: float32(gradScale), Step: a.Steps,
	}.Update(a.trained...)
}

// ClipScale is the factor that brings a gradient of that norm down to at most
// the norm clip (Pascanu et al. 2013); clip 0 means no bound.
func ClipScale(norm, clip float64) float64 {
	if clip == 0 {
		return 1
	}
	return min(1, clip/(norm+1e-6))
}
