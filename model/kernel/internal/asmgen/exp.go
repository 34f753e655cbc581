package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The constants of package kernel's exp32, which explains them.
const (
	expLow  = -104
	expHigh = 89
	log2E   = 1.44269504088896341
	ln2High = 0.693359375
	ln2Low  = -2.12194440e-4
	magic   = 3 << 22
)

var expPolynomial = []float64{1.381446490995586e-3, 8.368780836462975e-3, 4.166839271783829e-2, 0.1666651964187622, 0.4999999403953552}

// exp replaces each lane of x by e^x: exp32 of package kernel.
func (s *isa) exp(x reg.VecVirtual) {
	// MAX and MIN return their first operand here if one is NaN, so x stays NaN.
	low, high := s.vec(), s.vec()
	VMOVUPS(s.constant(expLow), low)
	VMAXPS(x, low, x)
	VMOVUPS(s.constant(expHigh), high)
	VMINPS(x, high, x)
	n := s.vec()
	VMOVUPS(s.constant(magic), n)
	VFMADD231PS(s.constant(log2E), x, n)
	VSUBPS(s.constant(magic), n, n)
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
	if s.wide {
		VSCALEFPS(n, p, x)
		return
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
	VMOVAPS(p, x)
}
