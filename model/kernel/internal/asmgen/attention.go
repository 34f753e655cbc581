package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The kernels of this file take one vector of columns of a strip, rows ld floats apart:
// full rows that all lanes see, then triangle rows of which number t is seen by lanes t
// and more, then rest rows that none sees.
const columnRows = "ld, full, triangle, rest int"

// visible is a mask for the rows of a triangle: lanes that see a row are +Inf in it, the
// others −Inf. The row's place in memory is that of the row before less one.
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

// eachRow runs body for n rows, and then moves on.
func eachRow(label string, n reg.GPVirtual, body func(), next func()) {
	left := GP64()
	MOVQ(n, left)
	TESTQ(left, left)
	JZ(LabelRef(label + "end"))
	Label(label)
	body()
	next()
	DECQ(left)
	JNZ(LabelRef(label))
	Label(label + "end")
}

// clearRest zeroes the rows that no lane sees.
func (s *isa) clearRest(p, ld, rest reg.GPVirtual) {
	zero := s.zeros(1)[0]
	eachRow("rest", rest, func() { VMOVUPS(zero, Mem{Base: p}) }, func() { ADDQ(ld, p) })
}

// eachSeen runs body for the full and the triangle's rows, −Inf in the lanes that don't
// see one, whatever is there: if it is NaN, MINPS takes the mask.
func (s *isa) eachSeen(label string, p, ld, full, triangle reg.GPVirtual, body func(x reg.VecVirtual)) {
	row := func() reg.VecVirtual { return s.load(Mem{Base: p}, false) }
	eachRow(label, full, func() { body(row()) }, func() { ADDQ(ld, p) })
	mask := s.visible()
	eachRow(label+"triangle", triangle, func() {
		x := row()
		VMINPS(Mem{Base: mask}, x, x)
		body(x)
	}, func() {
		ADDQ(ld, p)
		SUBQ(Imm(4), mask)
	})
}

// exponentials replaces x in the rows at p by e^(scale·x − shift), in lanes that don't
// see a row by 0, and leaves p behind the last of them; each sees every result.
func (s *isa) exponentials(p, ld, full, triangle reg.GPVirtual, scale, shift reg.VecVirtual, each func(e reg.VecVirtual)) {
	s.eachSeen("exp", p, ld, full, triangle, func(e reg.VecVirtual) {
		VFMSUB213PS(shift, scale, e)
		s.exp(e)
		each(e)
		VMOVUPS(e, Mem{Base: p})
	})
}

func (s *isa) softmax() {
	s.function("softmax", "func(x *float32, "+columnRows+", scale float32, shift, sum *float32)",
		"replaces scores x by the weights",
		"",
		"\texp32(scale*x-shift) / sum",
		"",
		"of the rows that a lane sees, and by 0 elsewhere. shift is scale times their maximum, sum",
		"that of their exponentials.")
	x, ld, full, triangle := load64("x"), load64("ld"), load64("full"), load64("triangle")
	SHLQ(Imm(2), ld)
	scale := s.param("scale")
	first := func() reg.GPVirtual {
		p := GP64()
		MOVQ(x, p)
		return p
	}

	shift := s.load(s.bits(math.Float32bits(float32(math.Inf(-1)))), false)
	s.eachSeen("max", first(), ld, full, triangle, func(y reg.VecVirtual) { VMAXPS(y, shift, shift) })
	VMULPS(scale, shift, shift)
	VMOVUPS(shift, Mem{Base: load64("shift")})

	sum, p := s.zeros(1)[0], first()
	s.exponentials(p, ld, full, triangle, scale, shift, func(e reg.VecVirtual) { VADDPS(e, sum, sum) })
	VMOVUPS(sum, Mem{Base: load64("sum")})
	s.clearRest(p, ld, load64("rest"))

	inverse := s.load(s.constant(1), false)
	VDIVPS(sum, inverse, inverse)
	ADDQ(triangle, full)
	eachRow("scale", full, func() {
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
	s.function("scoreGrad", "func(dp, p *float32, "+columnRows+", scale float32, delta *float32)",
		"replaces dp by",
		"",
		"\tp * (dp - delta) * scale",
		"",
		"in the rows that a lane sees, and by 0 elsewhere.")
	d, p, ld, full, triangle := load64("dp"), load64("p"), load64("ld"), load64("full"), load64("triangle")
	SHLQ(Imm(2), ld)
	scale, delta := s.param("scale"), s.load(Mem{Base: load64("delta")}, false)
	grad := func() reg.VecVirtual {
		g := s.load(Mem{Base: d}, false)
		VSUBPS(delta, g, g)
		VMULPS(Mem{Base: p}, g, g)
		VMULPS(scale, g, g)
		return g
	}
	next := func() {
		ADDQ(ld, d)
		ADDQ(ld, p)
	}
	eachRow("row", full, func() { VMOVUPS(grad(), Mem{Base: d}) }, next)
	mask := s.visible()
	eachRow("triangle", triangle, func() {
		g, hidden := grad(), s.vec()
		VMOVUPS(Mem{Base: mask}, hidden)
		VPSRAD(Imm(31), hidden, hidden) // all bits of −Inf's lanes
		s.andNot(g, hidden)
		VMOVUPS(hidden, Mem{Base: d})
	}, func() {
		next()
		SUBQ(Imm(4), mask)
	})
	s.clearRest(d, ld, load64("rest"))
	s.ret()
}

// andNot replaces y by x and not y.
func (s *isa) andNot(x, y reg.VecVirtual) {
	if s.wide {
		VPANDND(x, y, y)
	} else {
		VPANDN(x, y, y)
	}
}
