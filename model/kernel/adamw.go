package kernel

import "math"

// AdamW is one step of Adam (Kingma and Ba, 2015, algorithm 1) with the weight
// decay decoupled from the gradient (Loshchilov and Hutter, "Decoupled Weight
// Decay Regularization", 2019, algorithm 2, the decay scaled by the learning rate).
type AdamW struct {
	LR, Beta1, Beta2, Eps float32
	GradScale             float32 // the gradient is read as grad·GradScale: clipping, averaging
	Step                  int     // counts from 1
}

// Trained is what AdamW changes: a parameter Param with its gradient Grad, and the moments M
// and V of that gradient, all of one length.
type Trained struct {
	Param, Grad, M, V []float32
	WeightDecay       float32
}

// Update changes each parameter and its moments, in one pass:
//
//	g = grad·GradScale
//	m = β₁m + (1−β₁)g,  v = β₂v + (1−β₂)g²
//	param = param·(1 − LR·WeightDecay) − LR·m̂/(√v̂ + Eps)
//
// with m̂ = m/(1−β₁^Step) and v̂ = v/(1−β₂^Step).
func (o AdamW) Update(ts ...Trained) {
	if o.Step < 1 {
		badSize("AdamW.Update", "Step", o.Step)
	}
	bias1 := 1 - math.Pow(float64(o.Beta1), float64(o.Step))
	bias2 := 1 - math.Pow(float64(o.Beta2), float64(o.Step))
	c := adamwConstants{
		gradScale: o.GradScale,
		beta1:     o.Beta1, rest1: float32(1 - float64(o.Beta1)),
		beta2: o.Beta2, rest2: float32(1 - float64(o.Beta2)),
		rate:  float32(float64(o.LR) / bias1),
		root2: float32(1 / math.Sqrt(bias2)),
		eps:   o.Eps,
	}
	workers.mu.Lock()
	defer workers.mu.Unlock()
	adamwFactors, adamwBlocks = adamwFactors[:0], adamwBlocks[:0]
	for _, t := range ts {
		need("AdamW.Update", "Grad", len(t.Grad), len(t.Param))
		need("AdamW.Update", "M", len(t.M), len(t.Param))
		need("AdamW.Update", "V", len(t.V), len(t.Param))
		c.keep = float32(1 - float64(o.LR)*float64(t.WeightDecay))
		adamwFactors = append(adamwFactors, c)
		adamwBlocks = adamwBlocks.with(len(t.Param), adamwBlock)
	}
	runLocked(&adamwSlot, adamwTask{active, ts, adamwFactors, adamwBlocks}, adamwBlocks.pieces())
}

const adamwBlock = 16 << 10 // seven streams of 64 kB

// adamwConstants are the factors of one parameter in one step, with the bias corrections
// multiplied in.
type adamwConstants struct {
	gradScale, beta1, rest1, beta2, rest2, keep, rate, root2, eps float32
}

type adamwTask struct {
	isa     *instructionSet
	list    []Trained
	factors []adamwConstants // one for each parameter
	blocks  blockIndex
}

// Guarded by the pool's lock.
var (
	adamwSlot    adamwTask
	adamwFactors []adamwConstants
	adamwBlocks  blockIndex
)

func (t *adamwTask) piece(_ *worker, i int) {
	n, b := t.blocks.find(i)
	p := &t.list[n]
	from, to := block(b, adamwBlock, len(p.Param))
	t.isa.adamw(p.Param[from:to], p.Grad[from:to], p.M[from:to], p.V[from:to], &t.factors[n])
}

func adamwGo(param, grad, m, v []float32, c *adamwConstants) {
	grad, m, v = grad[:len(param)], m[:len(param)], v[:len(param)]
	for i, p := range param {
		g := grad[i] * c.gradScale
		m[i] = c.beta1*m[i] + c.rest1*g
		v[i] = c.beta2*v[i] + c.rest2*g*g
		root := float32(math.Sqrt(float64(v[i])))
		param[i] = p*c.keep - c.rate*m[i]/(root*c.root2+c.eps)
	}
}
