package kernel

import "math"

// e^x = 2^n·e^r with n = round(x/ln 2), so |r| ≤ ln 2/2. ln 2 is split in two, the
// first part short enough that n times it is exact (Cody and Waite, "Software
// Manual for the Elementary Functions", 1980, chapter 6). e^r is 1 + r + r²·q(r),
// the coefficients of q fitted for the least relative error: 3e-9 before rounding.
const (
	expLow  = -104 // below, e^x rounds to 0
	expHigh = 89   // above, it is +Inf
	log2E   = 1.44269504088896341
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4
	magic   = 3 << 22 // adding it to a float32 rounds that to a whole number

	expC2 = 0.4999999403953552
	expC3 = 0.1666651964187622
	expC4 = 4.166839271783829e-2
	expC5 = 8.368780836462975e-3
	expC6 = 1.381446490995586e-3
)

// exp32 is e^x to within 2 ulp; NaN stays NaN.
func exp32(x float32) float32 {
	if x < expLow {
		x = expLow
	}
	if x > expHigh {
		x = expHigh
	}
	n := float32(x*log2E+magic) - magic
	r := x - n*ln2High
	r -= n * ln2Low
	r2 := r * r
	q := (expC2 + expC3*r) + r2*((expC4+expC5*r)+r2*expC6) // shorter chains than Horner's
	p := (1 + r) + r2*q
	// 2^n in two factors: the result may be subnormal, or n = 128.
	i := int32(n)
	h := i >> 1
	return p * math.Float32frombits(uint32(h+127)<<23) * math.Float32frombits(uint32(i-h+127)<<23)
}

// expGo computes y = e^(scale·x − shift) and returns the sum of y; y may be x.
func expGo(y, x []float32, scale, shift float32) (sum float32) {
	y = y[:len(x)]
	var s [4]float32
	for i, v := range x {
		e := exp32(v*scale - shift)
		y[i] = e
		s[i&3] += e
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// maxGo returns the largest of x, −Inf if x is empty. It may ignore NaN: the exponentials that
// are computed next become NaN.
func maxGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// log is the natural logarithm of a positive normal x, to 1e-9 before it is rounded to float32:
// x = 2^n·m, √½ ≤ m < √2, log m = 2·artanh((m−1)/(m+1)) by its series.
func log(x float32) float32 {
	const half = 0x3f3504f3 // the bits of √½
	bits := math.Float32bits(x) - half
	n := int32(bits) >> 23
	m := float64(math.Float32frombits(bits&(1<<23-1) + half))
	s := (m - 1) / (m + 1)
	z := s * s
	return float32(float64(n)*math.Ln2 + 2*s*(1+z*(1.0/3+z*(1.0/5+z*(1.0/7+z*(1.0/9))))))
}
