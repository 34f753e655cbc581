package kernel

import "math"

// Activation is the function between the two layers of a feed-forward network.
type Activation int

const (
	// TanhGELU is ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the tanh form of Hendrycks and
	// Gimpel, "Gaussian Error Linear Units" (2016), section 2, which GPT-1 and GPT-2 use.
	TanhGELU Activation = iota
	// ExactGELU is x·Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016,
	// section 2).
	ExactGELU
	// ReLU is max(x, 0); its derivative at 0 is 0 here, as in PyTorch.
	ReLU
	// SiLU is x·σ(x), σ(x) = 1/(1 + e^(−x)) (Hendrycks and Gimpel 2016, section 2; "swish" in
	// Ramachandran et al. 2017).
	SiLU
)

// activationFunctions compute an activation of rows of n elements that are ld floats apart.
// apply sets y to it. gradient is the backward pass: it multiplies dy by the derivative at x,
// and replaces x by the activation of x, with the bits that apply gives.
type activationFunctions struct {
	apply    func(y, x []float32, rows, n, ld int)
	gradient func(dy, x []float32, rows, n, ld int)
}

// functions are those of an instruction set. But for the tanh form of GELU they are written in
// Go only: models that use others are rare, and it takes a few per cent of a training step.
func (a Activation) functions(isa *instructionSet) activationFunctions {
	switch a {
	case ExactGELU:
		return exactGELUFunctions
	case ReLU:
		return activationFunctions{reluGo, reluGradGo}
	case SiLU:
		return siluFunctions
	}
	return activationFunctions{isa.gelu, isa.geluGrad}
}

// elementwise makes the functions of an activation of f, which returns it and its derivative.
func elementwise(f func(x float32) (y, slope float32)) activationFunctions {
	return activationFunctions{
		apply: func(y, x []float32, rows, n, ld int) {
			for r := range rows {
				to := y[r*ld : r*ld+n]
				for i, v := range x[r*ld : r*ld+n] {
					to[i], _ = f(v)
				}
			}
		},
		gradient: func(dy, x []float32, rows, n, ld int) {
			for r := range rows {
				x, dy := x[r*ld:r*ld+n], dy[r*ld:r*ld+n]
				for i, v := range x {
					y, slope := f(v)
					x[i], dy[i] = y, dy[i]*slope
				}
			}
		},
	}
}

var exactGELUFunctions, siluFunctions = elementwise(exactGELU), elementwise(silu)

// Apply computes y, the activation of x, over len(x) elements, to 3e-7·(1+|y|). y may be x.
func (a Activation) Apply(y, x []float32) {
	need("Activation.Apply", "y", len(y), len(x))
	run(&activationSlot, activationTask{a.functions(active).apply, y, x}, blocks(len(x), activationBlock))
}

const activationBlock = 8 << 10 // elements of a piece, some 5 µs

type activationTask struct {
	apply func(y, x []float32, rows, n, ld int)
	y, x  []float32
}

var activationSlot activationTask

func (t *activationTask) piece(_ *worker, i int) {
	from, to := block(i, activationBlock, len(t.x))
	t.apply(t.y[from:to], t.x[from:to], 1, to-from, to-from)
}

// reluGo sets y to ReLU(x). NaN stays NaN.
func reluGo(y, x []float32, rows, n, ld int) {
	for r := range rows {
		to := y[r*ld : r*ld+n]
		for i, v := range x[r*ld : r*ld+n] {
			if v < 0 {
				v = 0
			}
			to[i] = v
		}
	}
}

// reluGradGo is the gradient of reluGo; see activationFunctions.
func reluGradGo(dy, x []float32, rows, n, ld int) {
	for r := range rows {
		x, dy := x[r*ld:r*ld+n], dy[r*ld:r*ld+n]
		for i, v := range x {
			if v <= 0 {
				x[i], dy[i] = max(v, 0), 0
			} else if v != v {
				dy[i] = v
			}
		}
	}
}

// silu returns x·σ(x), and its derivative σ·(1 + x·(1 − σ)).
func silu(x float32) (y, slope float32) {
	// e^(−|x|) is at most 1: nothing overflows or cancels.
	e := exp32(-float32(math.Abs(float64(x))))
	s, rest := 1/(1+e), e/(1+e)
	if x < 0 {
		s, rest = rest, s
	}
	if s == 0 { // for −Inf, 0 times infinity would be NaN
		return 0, 0
	}
	if rest == 0 {
		return x, 1
	}
	return x * s, s * (1 + x*rest)
}
