package train

import (
	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// Muon trains the matrices of the layers by steps that are made orthogonal (Jordan et al.
// 2024), and everything else (embeddings, an untied head, biases, gains, heads of
// classifiers) by AdamW. A matrix changes by as much as with AdamW at the same rate (Liu et
// al. 2025, section 2.2). The maps to queries, keys and values, which lie side by side in
// one parameter, are three matrices, as in Jordan's description. A matrix with a frozen part
// is AdamW's.
type Muon struct {
	Momentum float64
	Rest     AdamW // trains what isn't Muon's

	momentum map[string][]float32
	// Memory of the last update.
	matrices []kernel.Matrix
	others   []*model.Parameter
	group    [1]Group
}

// NewMuon returns a Muon with the settings of c.
func NewMuon(c Config) *Muon {
	return &Muon{Momentum: c.muonMomentum(), Rest: *NewAdamW(c)}
}

// maps returns how many matrices of p are Muon's; 0: p is AdamW's.
func (o *Muon) maps(p *model.Parameter) int {
	if p.Frozen > 0 || p.Value.Dims() != 2 {
		return 0
	}
	return model.LinearMaps(p.Name)
}

// of returns the momentum of p's gradient, zero at first.
func (o *Muon) of(p *model.Parameter) []float32 {
	if o.momentum == nil {
		o.momentum = map[string][]float32{}
	}
	m := o.momentum[p.Name]
	if m == nil {
		m = kernel.Memory(p.Value.Shape().TotalSize())
		o.momentum[p.Name] = m
	}
	return m
}

// Update makes one update; see Optimiser.
func (o *Muon) Update(groups []Group, u Update) {
	o.matrices = o.matrices[:0]
	for _, g := range groups {
		o.others = o.others[:0]
		for _, p := range g.Parameters {
			if n := o.maps(p); n > 0 {
				o.add(p, n, float32(u.LearningRate*g.RateFactor), float32(g.WeightDecay))
			} else {
				o.others = append(o.others, p)
			}
		}
		g.Parameters = o.others
		o.group[0] = g
		o.Rest.Update(o.group[:], u)
	}
	kernel.Muon{Momentum: float32(o.Momentum), GradScale: float32(u.GradScale)}.Update(o.matrices...)
}

// add notes the n matrices of p for the update.
func (o *Muon) add(p *model.Parameter, n int, rate, decay float32) {
	value, grad := p.Trained()
	if grad == nil {
		return
	}
	m, shape := o.of(p), p.Value.Shape()
	for i := range n {
		at := i * shape[1] / n
		o.matrices = append(o.matrices, kernel.Matrix{
			Param: value[at:], Grad: grad[at:], M: m[at:],
			Rows: shape[0], Cols: shape[1] / n, Stride: shape[1], LR: rate, WeightDecay: decay,
		})
	}
}

// State returns the momentum of p's gradient, or AdamW's state of p.
func (o *Muon) State(p *model.Parameter) []safetensors.Tensor {
	if o.maps(p) == 0 {
		return o.Rest.State(p)
	}
	return []safetensors.Tensor{{Name: "muon.momentum." + p.Name, Shape: []int(p.Value.Shape()), Data: o.of(p)}}
}

// Divides says that pieces of what is AdamW's can be updated by themselves; a matrix can't.
func (o *Muon) Divides(p *model.Parameter) bool { return o.maps(p) == 0 }

// muonFLOP counts the operations of Newton and Schulz's iterations for a model; see
// kernel.Muon. Symmetric products count half.
func muonFLOP(m model.Config) float64 {
	matrix := func(short, long float64) float64 { return 2 * short * short * (17*short/2 + 3*long/2) }
	d, hidden := float64(m.Width), float64(m.Inner())
	return float64(m.Layers) * (4*matrix(d, d) + 2*matrix(min(d, hidden), max(d, hidden)))
}
