package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) add() {
	s.function("add", "func(y, a, b []float32)", `computes

	for i := range y { y[i] = a[i] + b[i] }`)
	y, a, b, n := base("y"), base("a"), base("b"), length("y")
	s.loop(n, 4, []reg.GPVirtual{y, a, b}, func(v int, tail bool) {
		x := s.load(s.at(a, v), tail)
		if tail {
			VADDPS(s.load(s.at(b, v), true), x, x)
		} else {
			VADDPS(s.at(b, v), x, x)
		}
		s.store(x, s.at(y, v), tail)
	})
	s.ret()
}

func (s *isa) scale() {
	s.function("scale", "func(x []float32, s float32)", `computes

	for i := range x { x[i] *= s }`)
	x, n := base("x"), length("x")
	f := s.param("s")
	s.loop(n, 4, []reg.GPVirtual{x}, func(v int, tail bool) {
		y := s.load(s.at(x, v), tail)
		VMULPS(f, y, y)
		s.store(y, s.at(x, v), tail)
	})
	s.ret()
}

// sumAhead is how many bytes ahead sumSquares prefetches: further than the processor does by
// itself, whose prefetching ends with a page.
const sumAhead = 2048

func (s *isa) sumSquares() {
	s.function("sumSquares", "func(x []float32) (sum float64)", `computes

	for _, v := range x { sum += float64(v) * float64(v) }`)
	x, n := base("x"), length("x")
	sums := s.zeros(4)
	s.loop(n, 2, []reg.GPVirtual{x}, func(v int, tail bool) {
		y := s.load(s.at(x, v), tail)
		PREFETCHT0(s.at(x, v).Offset(sumAhead))
		low, high := s.vec(), s.vec()
		if s.wide {
			h := YMM()
			VEXTRACTF64X4(Imm(1), y, h)
			VCVTPS2PD(h, high)
			VCVTPS2PD(y.AsY(), low)
		} else {
			h := XMM()
			VEXTRACTF128(Imm(1), y, h)
			VCVTPS2PD(h, high)
			VCVTPS2PD(y.AsX(), low)
		}
		VFMADD231PD(low, low, sums[2*v])
		VFMADD231PD(high, high, sums[2*v+1])
	})
	v := fold(sums, VADDPD)
	y := v.AsY()
	if s.wide {
		h := YMM()
		VEXTRACTF64X4(Imm(1), v, h)
		VADDPD(h, y, y)
	}
	h := XMM()
	VEXTRACTF128(Imm(1), y, h)
	VADDPD(h, v.AsX(), v.AsX())
	VPERMILPD(Imm(1), v.AsX(), h)
	VADDSD(h, v.AsX(), v.AsX())
	Store(v.AsX(), ReturnIndex(0))
	s.ret()
}

func (s *isa) finite() {
	s.function("finite", "func(x []float32) bool", `returns sum == 0 after

	for _, v := range x { sum += 0 * v }

which is NaN if any v is NaN or infinite.`)
	x, n := base("x"), length("x")
	zero := s.zeros(1)[0]
	sums := s.zeros(4)
	s.loop(n, 4, []reg.GPVirtual{x}, func(v int, tail bool) {
		if tail {
			VFMADD231PS(s.load(s.at(x, v), true), zero, sums[v])
		} else {
			VFMADD231PS(s.at(x, v), zero, sums[v])
		}
	})
	sum := s.across(fold(sums, VADDPS), VADDPS).AsX()
	ok := GP32()
	VUCOMISS(sum, sum)
	SETPC(ok.As8())
	Store(ok.As8(), ReturnIndex(0))
	s.ret()
}

// These are the constants of package kernel's geluSigmoid, which explains them.
const (
	geluFlat   = -1.5957691216057308
	geluCurve  = geluFlat * 3 * 0.044715
	geluLinear = geluFlat * log2E
	geluCubic  = geluLinear * 0.044715
	geluLimit  = 125
)

var exp2Polynomial = [...]float64{1, 0.6931469775987169, 0.24022242084635193, 0.05550733743574271, 0.009671512688148049, 0.001326472724707907}

// sigmoid returns σ = 1/(1 + e), e and x². If x is NaN, at least one of them is.
func (s *isa) sigmoid(x reg.VecVirtual) (sigma, e, square reg.VecVirtual) {
	value := func(c float64) reg.VecVirtual { return s.load(s.constant(c), false) }
	square, sigma = s.vec(), s.vec()
	VMULPS(x, x, square)
	u := value(geluLinear)
	VFMADD231PS(s.constant(geluCubic), square, u)
	VMULPS(x, u, u)
	VMINPS(s.constant(geluLimit), u, u)
	VMAXPS(s.constant(-geluLimit), u, u)
	n, f, f2 := value(magic), s.vec(), s.vec()
	VADDPS(u, n, n) // its last bits are the whole number
	VSUBPS(s.constant(magic), n, f)
	VSUBPS(f, u, f)
	VMULPS(f, f, f2)
	pair := func(i int) reg.VecVirtual {
		p := value(exp2Polynomial[i])
		VFMADD231PS(s.constant(exp2Polynomial[i+1]), f, p)
		return p
	}
	e = pair(4)
	VFMADD213PS(pair(2), f2, e)
	VFMADD213PS(pair(0), f2, e)
	VPSLLD(Imm(23), n, n)
	VPADDD(n, e, e) // e·2^n
	one := value(1)
	VADDPS(one, e, sigma)
	VDIVPS(sigma, one, sigma)
	return sigma, e, square
}

// read is a copy without stores, in four streams: as fast as memory allows.
func (s *isa) read() {
	s.function("read", "func(x *float32, step, n int)",
		"reads and forgets, n a multiple of "+fmt.Sprint(4*s.lanes)+":",
		"",
		"\tfor i := range n { for r := range 4 { _ = x[r*step+i] } }")
	x, step, n := load64("x"), load64("step"), load64("n")
	SHLQ(Imm(2), step)
	p := rowPointers(x, step, 4)
	s.loop(n, 4, p, func(v int, _ bool) {
		for r := range 4 {
			s.load(rowAt(p, step, r).Offset(v*s.bytes()), false)
		}
	})
	s.ret()
}

// tile begins a function over tiles y and x with rows > 0 of n > 0 columns, ld floats apart. A
// call for each row of a small tile would take as long as the computation.
func (s *isa) tile(name string, unroll int, element string, body func(y, x Mem, tail bool)) {
	s.function(name, "func(y, x *float32, rows, n, ld int)", "computes",
		"",
		"\tfor r := range rows {",
		"\t\tfor i := range n { "+element+" }",
		"\t\ty, x = y[ld:], x[ld:]",
		"\t}")
	y, x, rows, n, ld := load64("y"), load64("x"), load64("rows"), load64("n"), load64("ld")
	SHLQ(Imm(2), ld)
	Label("row")
	left, p := restart(n, y, x)
	s.loop(left, unroll, p, func(v int, tail bool) { body(s.at(p[0], v), s.at(p[1], v), tail) })
	ADDQ(ld, y)
	ADDQ(ld, x)
	DECQ(rows)
	JNZ(LabelRef("row"))
	s.ret()
}

func (s *isa) gelu() {
	s.tile("gelu", 1, "y[i] = x[i] * sigmoid(x[i])", func(y, x Mem, tail bool) {
		a := s.load(x, tail)
		sigma, _, _ := s.sigmoid(a)
		VMULPS(sigma, a, a)
		s.store(a, y, tail)
	})
}

func (s *isa) geluGrad() {
	element := "s, r := sigmoid(x[i]), 1-sigmoid(x[i]); y[i] *= s - x[i]*s*r*(geluFlat+geluCurve*x[i]*x[i]); x[i] *= s"
	s.tile("geluGrad", 1, element, func(y, x Mem, tail bool) {
		a := s.load(x, tail)
		sigma, e, square := s.sigmoid(a)
		VMULPS(sigma, e, e) // 1 − σ
		VMULPS(sigma, a, a)
		s.store(a, x, tail)
		VMULPS(e, a, a)
		du := s.vec()
		VMOVUPS(s.constant(geluFlat), du)
		VFMADD231PS(s.constant(geluCurve), square, du)
		VFNMADD231PS(du, a, sigma)
		VMULPS(s.load(y, tail), sigma, sigma)
		s.store(sigma, y, tail)
	})
}

func (s *isa) dropout() {
	s.function("dropout", "func(y, x []float32, counter uint32, key0, key1, threshold uint32, scale float32)", `computes

	for i, v := range x {
		if hash(counter+i) >= threshold { y[i] = v * scale } else { y[i] = 0 }
	}`)
	y, x, n := base("y"), base("x"), length("x")
	whole := func(name string) reg.VecVirtual { return s.broadcast(address(name)) }
	key0, key1, threshold := whole("key0"), whole("key1"), whole("threshold")
	counter, scale := whole("counter"), s.param("scale")
	VPADDD(global("iota", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), counter, counter)
	first, second, step := s.broadcastBits(0x7feb352d), s.broadcastBits(0x846ca68b), s.broadcastBits(uint32(s.lanes))
	xor := func(ops ...Op) { VPXOR(ops[0], ops[1], ops[2]) }
	if s.wide {
		xor = VPXORD
	}
	s.loop(n, 1, []reg.GPVirtual{y, x}, func(v int, tail bool) {
		h, t := s.vec(), s.vec()
		shift := func(bits uint64) {
			VPSRLD(Imm(bits), h, t)
			xor(t, h, h)
		}
		xor(key0, counter, h)
		shift(16)
		VPMULLD(first, h, h)
		VPADDD(key1, h, h)
		shift(15)
		VPMULLD(second, h, h)
		shift(16)
		a := s.load(s.at(x, v), tail)
		VMULPS(scale, a, a)
		if s.wide {
			VPCMPUD(Imm(5), threshold, h, reg.K2) // not less
			VMOVAPS_Z(a, reg.K2, a)
		} else {
			VPMAXUD(threshold, h, t)
			VPCMPEQD(t, h, t)
			VANDPS(t, a, a)
		}
		s.store(a, s.at(y, v), tail)
		VPADDD(step, counter, counter)
	})
	s.ret()
}

func (s *isa) broadcastBits(x uint32) reg.VecVirtual {
	v := s.vec()
	VMOVUPS(s.bits(x), v)
	return v
}

func (s *isa) adamw() {
	s.function("adamw", "func(param, grad, m, v []float32, c *float32)", `computes

	for i, p := range param {
		g := grad[i] * c.gradScale
		m[i] = c.beta1*m[i] + c.rest1*g
		v[i] = c.beta2*v[i] + c.rest2*g*g
		param[i] = p*c.keep - c.rate*m[i]/(sqrt(v[i])*c.root2+c.eps)
	}

where c is the first field of an adamwConstants.`)
	param, grad, m, v, n := base("param"), base("grad"), base("m"), base("v"), length("param")
	c := load64("c")
	field := func(i int) reg.VecVirtual { return s.broadcast(Mem{Base: c, Disp: 4 * i}) }
	gradScale, beta1, rest1, beta2, rest2, keep, rate, root2, eps := field(0), field(1), field(2), field(3), field(4), field(5), field(6), field(7), field(8)
	s.loop(n, 1, []reg.GPVirtual{param, grad, m, v}, func(i int, tail bool) {
		g := s.load(s.at(grad, i), tail)
		VMULPS(gradScale, g, g)
		a := s.load(s.at(m, i), tail)
		VMULPS(beta1, a, a)
		VFMADD231PS(g, rest1, a)
		s.store(a, s.at(m, i), tail)
		b := s.load(s.at(v, i), tail)
		VMULPS(beta2, b, b)
		VMULPS(g, g, g)
		VFMADD231PS(g, rest2, b)
		s.store(b, s.at(v, i), tail)
		VSQRTPS(b, b)
		VFMADD213PS(eps, root2, b)
		VMULPS(rate, a, a)
		VDIVPS(b, a, a)
		p := s.load(s.at(param, i), tail)
		VFMSUB213PS(a, keep, p)
		s.store(p, s.at(param, i), tail)
	})
	s.ret()
}
