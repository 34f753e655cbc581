package kernel

// GELU computes y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the tanh form of
// Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), section 2, over
// len(x) elements, to 3e-7·(1+|y|). y may be x.
func GELU(y, x []float32) {
	need("GELU", "y", len(y), len(x))
	run(&geluSlot, geluTask{level: best, y: y, x: x}, blocks(len(x), geluBlock))
}

// GELUGrad computes dx = dy·GELU'(x) over len(x) elements. dx may be dy.
func GELUGrad(dx, dy, x []float32) {
	need("GELUGrad", "dx", len(dx), len(x))
	need("GELUGrad", "dy", len(dy), len(x))
	run(&geluSlot, geluTask{level: best, y: dx, x: x, dy: dy}, blocks(len(x), geluBlock))
}

const geluBlock = 8 << 10 // elements of a piece, some 5 µs

type geluTask struct {
	level    *level
	y, x, dy []float32 // dy: nil in the forward pass
}

var geluSlot geluTask

func (t *geluTask) piece(_ *worker, i int) {
	from, to := block(i, geluBlock, len(t.x))
	if t.dy == nil {
		t.level.gelu(t.y[from:to], t.x[from:to])
	} else {
		t.level.geluGrad(t.y[from:to], t.dy[from:to], t.x[from:to])
	}
}

// ½(1 + tanh u) is 1/(1 + e^(−2u)), so GELU(x) = x·σ with σ = 1/(1 + e) and
// e = exp(x·(geluLinear + geluCubic·x²)). Written so, nothing cancels.
const (
	geluLinear = -1.5957691216057308       // −2·√(2/π)
	geluCubic  = geluLinear * 0.044715     // of the exponent
	geluSlope  = geluLinear * 3 * 0.044715 // of the exponent's derivative
	geluLimit  = 87                        // e stays finite, and σ above 0
)

// geluSigmoid returns σ = 1/(1 + e) and 1 − σ.
func geluSigmoid(x float32) (s, r float32) {
	u := x * (geluLinear + geluCubic*x*x)
	if u > geluLimit {
		u = geluLimit
	}
	e := exp32(u)
	s = 1 / (1 + e)
	return s, e * s
}

func geluGo(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		s, _ := geluSigmoid(v)
		y[i] = v * s
	}
}

// geluGradGo: (x·σ)' = σ − x·σ(1−σ)·u'.
func geluGradGo(dx, dy, x []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	for i, v := range x {
		s, r := geluSigmoid(v)
		dx[i] = dy[i] * (s - v*s*r*(geluLinear+geluSlope*v*v))
	}
}
