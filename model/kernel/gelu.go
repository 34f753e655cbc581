package kernel

import "math"

// ½(1 + tanh u) is 1/(1 + e^(−2u)), so TanhGELU is x·σ with σ = 1/(1 + e) and
// e = 2^(x·(geluLinear + geluCubic·x²)). Written so, nothing cancels. 2^f, |f| ≤ ½, is
// 1 + f·q(f), the coefficients of q fitted for the least relative error: 1.1e-7.
const (
	geluFlat   = -1.5957691216057308 // −2·√(2/π): (−2u)' is geluFlat + geluCurve·x²
	geluCurve  = geluFlat * 3 * 0.044715
	geluLinear = geluFlat * log2E // −2u/ln 2 is x·(geluLinear + geluCubic·x²)
	geluCubic  = geluLinear * 0.044715
	geluLimit  = 125 // bound on the exponent: e and 1/e stay normal numbers

	exp2C1 = 0.6931469775987169
	exp2C2 = 0.24022242084635193
	exp2C3 = 0.05550733743574271
	exp2C4 = 0.009671512688148049
	exp2C5 = 0.001326472724707907
)

// geluSigmoid returns σ = 1/(1 + e) and 1 − σ. If x is NaN, at least one of them is.
func geluSigmoid(x float32) (s, r float32) {
	u := x * (geluLinear + geluCubic*x*x)
	if u > geluLimit {
		u = geluLimit
	}
	if !(u >= -geluLimit) {
		u = -geluLimit
	}
	n := float32(u+magic) - magic
	f := u - n
	f2 := f * f
	p := (exp2C5*f+exp2C4)*f2 + (exp2C3*f + exp2C2) // shorter chains than Horner's
	e := (p*f2 + (exp2C1*f + 1)) * math.Float32frombits(uint32(int32(n)+127)<<23)
	s = 1 / (1 + e)
	return s, e * s
}

// geluGo sets y to TanhGELU(x) for rows of n elements that are ld floats apart.
func geluGo(y, x []float32, rows, n, ld int) {
	for r := range rows {
		row := y[r*ld : r*ld+n]
		for i, v := range x[r*ld : r*ld+n] {
			s, _ := geluSigmoid(v)
			row[i] = v * s
		}
	}
}

// geluGradGo is the backward pass of geluGo: it multiplies dy by the derivative at x, and replaces
// x by TanhGELU(x). The derivative of x·σ is σ − x·σ(1−σ)·u'.
func geluGradGo(dy, x []float32, rows, n, ld int) {
	for r := range rows {
		row, grad := x[r*ld:r*ld+n], dy[r*ld:r*ld+n]
		for i, v := range row {
			s, rest := geluSigmoid(v)
			row[i] = v * s
			grad[i] *= s - v*s*rest*(geluFlat+geluCurve*v*v)
		}
	}
}

// normalTail returns ½·erfc(|x|/√2), the probability of a normal number beyond |x|. The
// approximation of erfc is the Chebyshev fit of Press et al., "Numerical Recipes" (2nd
// edition, section 6.2, erfcc), to 1.2e-7 of its value.
func normalTail(x float32) float64 {
	z := math.Abs(float64(x)) * (math.Sqrt2 / 2)
	t := 1 / (1 + 0.5*z)
	p := -1.26551223 + t*(1.00002368+t*(0.37409196+t*(0.09678418+t*(-0.18628806+t*(0.27886807+t*(-1.13520398+t*(1.48851587+t*(-0.82215223+t*0.17087277))))))))
	return 0.5 * t * math.Exp(p-z*z)
}

// exactGELU returns x·Φ(x), and its derivative Φ(x) + x·φ(x).
func exactGELU(x float32) (y, slope float32) {
	tail, v := normalTail(x), float64(x)
	phi := tail
	if x > 0 {
		phi = 1 - tail
	}
	if v-v != 0 { // ±Inf or NaN: 0 times infinity would be NaN
		y = float32(max(v, 0))
		return y, float32(phi)
	}
	return float32(v * phi), float32(phi + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi))
}
