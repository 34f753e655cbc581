package kernel

import "math"

// AdamW is one step of Adam (Kingma and Ba, 2015, algorithm 1) with the weight
// decay decoupled from the gradient (Loshchilov and Hutter, "Decoupled Weight
// Decay Regularization", 2019, algorithm 2, the decay scaled by the learning rate).
type AdamW struct {
	LR, Beta1, Beta2, Eps float32
	WeightDecay           float32
	GradScale             float32 // the gradient is read as grad·GradScale: clipping, averaging
	Step                  int     // counts from 1
}

// Update changes param and its moments m and v by grad, all of one length, in one pass:
//
//	g = grad·GradScale
//	m = β₁m + (1−β₁)g,  v = β₂v + (1−β₂)g²
//	param = param·(1 − LR·WeightDecay) − LR·m̂/(√v̂ + Eps)
//
// with m̂ = m/(1−β₁^Step) and v̂ = v/(1−β₂^Step).
func (o AdamW) Update(param, grad, m, v []float32) {
	need("AdamW.Update", "grad", len(grad), len(param))
	need("AdamW.Update", "m", len(m), len(param))
	need("AdamW.Update", "v", len(v), len(param))
	if o.Step < 1 {
		badSize("AdamW.Update", "Step", o.Step)
	}
	bias1 := 1 - math.Pow(float64(o.Beta1), float64(o.Step))
	bias2 := 1 - math.Pow(float64(o.Beta2), float64(o.Step))
	c := adamwConstants{
		gradScale: o.GradScale,
		beta1:     o.Beta1, rest1: float32(1 - float64(o.Beta1)),
		beta2: o.Beta2, rest2: float32(1 - float64(o.Beta2)),
		keep:  float32(1 - float64(o.LR)*float64(o.WeightDecay)),
		rate:  float32(float64(o.LR) / bias1),
		root2: float32(1 / math.Sqrt(bias2)),
		eps:   o.Eps,
	}
	run(&adamwSlot, adamwTask{best, c, param, grad, m, v}, blocks(len(param), adamwBlock))
}

const adamwBlock = 16 << 10 // seven streams of 64 kB

// adamwConstants are the factors of a step, the bias corrections folded in.
type adamwConstants struct {
	gradScale, beta1, rest1, beta2, rest2, keep, rate, root2, eps float32
}

type adamwTask struct {
	level             *level
	c                 adamwConstants
	param, grad, m, v []float32
}

var adamwSlot adamwTask

func (t *adamwTask) piece(_ *worker, i int) {
	from, to := block(i, adamwBlock, len(t.param))
	t.level.adamw(t.param[from:to], t.grad[from:to], t.m[from:to], t.v[from:to], &t.c)
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
