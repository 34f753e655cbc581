package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columnRows are the parameters of kernels that take one vector of columns of a [keys ×
// queries] block of attention scores, rows ld floats apart. The causal mask makes three kinds
// of rows: first full rows, which all lanes see; then triangle rows, of which row t is seen by
// lanes t and more; then rest rows, which no lane sees.
const columnRows = "ld, full, triangle, rest int"

// visible returns a pointer to the mask of the first triangle row: +Inf in lanes that see the
// row, −Inf in the others. The next row's mask is one float before.
func (s *isa) visible() reg.GPVirtual {
	var words []uint32
	for _, inf := range []int{-1, 1} {
		for range s.lanes {
			words = append(words, math.Float32bits(float32(math.Inf(inf))))
		}
	}
	p := GP64()
	LEAQ(global("visible"+s.suffix, words...).Offset(s.bytes()), p)
	return p
}

// eachRow runs body for n rows, and next after each of them. It unrolls them: body gets the
// number of its row among unroll that follow each other.
func eachRow(name string, n reg.GPVirtual, unroll int, body func(v int), next func()) {
	left := GP64()
	MOVQ(n, left)
	round := func(name string, rows int) {
		SUBQ(Imm(uint64(rows)), left)
		JL(LabelRef(name + "end"))
		Label(name)
		for v := range rows {
			body(v)
			next()
		}
		SUBQ(Imm(uint64(rows)), left)
		JGE(LabelRef(name))
		Label(name + "end")
		if rows > 1 {
			ADDQ(Imm(uint64(rows)), left)
		}
	}
	if unroll > 1 {
		round(name+"many", unroll)
	}
	round(name, 1)
}

// clearRest zeroes the rows that no lane sees.
func (s *isa) clearRest(p, ld, rest reg.GPVirtual) {
	zero := s.zeros(1)[0]
	eachRow("rest", rest, 1, func(int) { VMOVUPS(zero, Mem{Base: p}) }, func() { ADDQ(ld, p) })
}

// eachSeen runs body for the full rows and the triangle rows at p, and leaves p after the last
// of them. hide is applied to lanes that don't see a row. body gets the number of its row among
// unroll that follow each other.
func (s *isa) eachSeen(name string, p, ld, full, triangle reg.GPVirtual, unroll int, hide func(x reg.VecVirtual, mask Mem) reg.VecVirtual, body func(v int, x reg.VecVirtual)) {
	row := func() reg.VecVirtual { return s.load(Mem{Base: p}, false) }
	eachRow(name, full, unroll, func(v int) { body(v, row()) }, func() { ADDQ(ld, p) })
	mask := s.visible()
	eachRow(name+"triangle", triangle, 1, func(int) { body(0, hide(row(), Mem{Base: mask})) }, func() {
		ADDQ(ld, p)
		SUBQ(Imm(4), mask)
	})
}

// infinite replaces hidden lanes by −Inf, even if they hold NaN: MINPS then returns the mask.
func (s *isa) infinite(x reg.VecVirtual, mask Mem) reg.VecVirtual {
	VMINPS(mask, x, x)
	return x
}

// zeroed replaces hidden lanes by 0.
func (s *isa) zeroed(x reg.VecVirtual, mask Mem) reg.VecVirtual {
	hidden := s.load(mask, false)
	VPSRAD(Imm(31), hidden, hidden) // all bits of −Inf's lanes
	s.andNot(x, hidden)
	return hidden
}

// exponentials replaces x in the rows at p by e^(scale·x − shift), or by 0 in lanes that don't
// see a row. each is called with every result. p is left after the last of these rows.
func (s *isa) exponentials(p, ld, full, triangle reg.GPVirtual, scale, shift reg.VecVirtual, each func(e reg.VecVirtual)) {
	s.eachSeen("exp", p, ld, full, triangle, 1, s.infinite, func(_ int, x reg.VecVirtual) {
		VFMSUB213PS(shift, scale, x)
		e := s.expBelow88(x)
		each(e)
		VMOVUPS(e, Mem{Base: p})
	})
}

func (s *isa) softmax() {
	s.function("softmax", "func(x *float32, "+columnRows+", scale float32, lse *float32)",
		"replaces scores x by the weights",
		"",
		"\texp32(scale*x - lse)",
		"",
		"of the rows that a lane sees, and by 0 elsewhere. lse is set to the logarithm of the sum",
		"of exp32(scale*x).")
	x, ld, full, triangle := load64("x"), load64("ld"), load64("full"), load64("triangle")
	SHLQ(Imm(2), ld)
	scale := s.param("scale")
	first := func() reg.GPVirtual {
		p := GP64()
		MOVQ(x, p)
		return p
	}

	shift := s.load(s.bits(math.Float32bits(float32(math.Inf(-1)))), false)
	s.eachSeen("max", first(), ld, full, triangle, 4, s.infinite, func(_ int, y reg.VecVirtual) { VMAXPS(y, shift, shift) })
	VMULPS(scale, shift, shift)

	sum, p := s.zeros(1)[0], first()
	s.exponentials(p, ld, full, triangle, scale, shift, func(e reg.VecVirtual) { VADDPS(e, sum, sum) })
	s.clearRest(p, ld, load64("rest"))

	lse, inverse := s.log(sum), s.load(s.constant(1), false)
	VADDPS(shift, lse, lse)
	VMOVUPS(lse, Mem{Base: load64("lse")})
	VDIVPS(sum, inverse, inverse)
	ADDQ(triangle, full)
	eachRow("scale", full, 4, func(int) {
		e := s.vec()
		VMULPS(Mem{Base: x}, inverse, e)
		VMOVUPS(e, Mem{Base: x})
	}, func() { ADDQ(ld, x) })
	s.ret()
}

func (s *isa) weights() {
	s.function("weights", "func(x *float32, "+columnRows+", scale float32, lse *float32)",
		"replaces scores x by",
		"",
		"\texp32(scale*x - lse)",
		"",
		"in the rows that a lane sees, and by 0 elsewhere.")
	p, ld, full, triangle := load64("x"), load64("ld"), load64("full"), load64("triangle")
	SHLQ(Imm(2), ld)
	scale, lse := s.param("scale"), s.load(Mem{Base: load64("lse")}, false)
	s.exponentials(p, ld, full, triangle, scale, lse, func(reg.VecVirtual) {})
	s.clearRest(p, ld, load64("rest"))
	s.ret()
}

func (s *isa) scoreGrad() {
	s.function("scoreGrad", "func(dp, p *float32, "+columnRows+", scale float32)",
		"replaces dp by",
		"",
		"\tp * (dp - delta) * scale",
		"",
		"in the rows that a lane sees, delta the sum of their p * dp, and by 0 elsewhere.")
	first, p, ld, full, triangle := load64("dp"), load64("p"), load64("ld"), load64("full"), load64("triangle")
	SHLQ(Imm(2), ld)
	SUBQ(first, p) // how far p is from dp
	at := GP64()
	weight := Mem{Base: at, Index: p, Scale: 1}
	sums := s.zeros(2)
	MOVQ(first, at)
	s.eachSeen("sum", at, ld, full, triangle, 2, s.zeroed, func(v int, dp reg.VecVirtual) { VFMADD231PS(weight, dp, sums[v]) })
	delta, scale := fold(sums, VADDPS), s.param("scale")
	MOVQ(first, at)
	s.eachSeen("grad", at, ld, full, triangle, 2, s.zeroed, func(_ int, dp reg.VecVirtual) {
		VSUBPS(delta, dp, dp)
		VMULPS(weight, dp, dp)
		VMULPS(scale, dp, dp)
		VMOVUPS(dp, Mem{Base: at})
	})
	s.clearRest(at, ld, load64("rest"))
	s.ret()
}

// andNot replaces y by x AND NOT y.
func (s *isa) andNot(x, y reg.VecVirtual) {
	if s.wide {
		VPANDND(x, y, y)
	} else {
		VPANDN(x, y, y)
	}
}
