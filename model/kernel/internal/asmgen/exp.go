package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// These are the constants of package kernel's exp32, which explains them.
const (
	expLow  = -104
	expHigh = 89
	log2E   = 1.44269504088896341
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4
	magic   = 3 << 22
)

var expPolynomial = []float64{1.381446490995586e-3, 8.368780836462975e-3, 4.166839271783829e-2, 0.1666651964187622, 0.4999999403953552}

// exp returns e^x of each lane: exp32 of package kernel.
func (s *isa) exp(x reg.VecVirtual) reg.VecVirtual {
	s.expAtLeast(x, expLow)
	high, n := s.vec(), s.vec()
	VMOVUPS(s.constant(expHigh), high)
	VMINPS(x, high, x)
	VMOVUPS(s.constant(magic), n)
	VFMADD231PS(s.constant(log2E), x, n)
	VSUBPS(s.constant(magic), n, n)
	p := s.expFraction(x, n)
	if s.wide {
		VSCALEFPS(n, p, p)
		return p
	}
	// 2^n in two factors: the result may be subnormal, or n = 128.
	half := s.vec()
	VCVTPS2DQ(n, n)
	VPSRAD(Imm(1), n, half)
	VPSUBD(half, n, n)
	for _, e := range []reg.VecVirtual{half, n} {
		VPADDD(s.bits(127), e, e)
		VPSLLD(Imm(23), e, e)
		VMULPS(e, p, p)
	}
	return p
}

// expFlush is where expBelow88 becomes 0, since n is −127.
const expFlush = -88

// expBelow88 is exp for arguments of at most 88, such as those that are at most 0 apart from
// rounding. A subnormal result may be 0.
func (s *isa) expBelow88(x reg.VecVirtual) reg.VecVirtual {
	if s.wide {
		return s.exp(x)
	}
	s.expAtLeast(x, expFlush)
	factor, n := s.vec(), s.vec()
	VMOVUPS(s.constant(magic+127), factor)
	VFMADD231PS(s.constant(log2E), x, factor) // its last bits are n + 127
	VSUBPS(s.constant(magic+127), factor, n)
	VPSLLD(Imm(23), factor, factor)
	p := s.expFraction(x, n)
	VMULPS(factor, p, p)
	return p
}

// expAtLeast replaces lanes of x that are less than low by it.
func (s *isa) expAtLeast(x reg.VecVirtual, low float64) {
	// MAX returns its first operand here if one is NaN, so x stays NaN; so does MIN.
	v := s.vec()
	VMOVUPS(s.constant(low), v)
	VMAXPS(x, v, x)
}

// expFraction returns e^(x - n·ln 2), |x - n·ln 2| ≤ ½·ln 2. It overwrites x.
func (s *isa) expFraction(x, n reg.VecVirtual) reg.VecVirtual {
	VFNMADD231PS(s.constant(ln2High), n, x)
	VFNMADD231PS(s.constant(ln2Low), n, x)
	// 1 + x + x²·((c2 + c3·x) + x²·(c4 + c5·x + c6·x²)): a shorter chain than Horner's.
	c := expPolynomial
	square, p, q := s.vec(), s.load(s.constant(c[2]), false), s.load(s.constant(c[4]), false)
	VMULPS(x, x, square)
	VFMADD231PS(s.constant(c[1]), x, p)
	VFMADD231PS(s.constant(c[0]), square, p)
	VFMADD231PS(s.constant(c[3]), x, q)
	VFMADD231PS(p, square, q)
	VADDPS(s.constant(1), x, p)
	VFMADD231PS(q, square, p)
	return p
}

// log returns the natural logarithm of each lane, for positive normal numbers, as package
// kernel's log does. NaN and +Inf become NaN.
func (s *isa) log(x reg.VecVirtual) reg.VecVirtual {
	value := func(c float64) reg.VecVirtual { return s.load(s.constant(c), false) }
	n, m := s.vec(), s.vec()
	VPSUBD(s.bits(math.Float32bits(math.Sqrt2/2)), x, n)
	VPSRAD(Imm(23), n, n)
	VPSLLD(Imm(23), n, m)
	VPSUBD(m, x, m) // x = 2^n·m
	VCVTDQ2PS(n, n)
	t, sum, z := s.vec(), s.vec(), s.vec()
	VSUBPS(s.constant(1), m, t)
	VADDPS(s.constant(1), m, m)
	VDIVPS(m, t, t)
	VMULPS(t, t, z)
	p := value(2.0 / 9)
	for _, c := range []float64{2.0 / 7, 2.0 / 5, 2.0 / 3} {
		VFMADD213PS(s.constant(c), z, p)
	}
	VMULPS(z, p, p)
	VSUBPS(x, x, sum) // NaN unless x is finite
	VFMADD231PS(s.constant(math.Ln2), n, sum)
	VFMADD231PS(t, p, sum)
	VADDPS(t, t, t)
	VADDPS(t, sum, sum)
	return sum
}
