package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) max() {
	s.function("max", "func(x []float32) float32", `returns

	m := float32(math.Inf(-1))
	for _, v := range x { m = max(m, v) }

but may pass over a NaN.`)
	x, n := base("x"), length("x")
	inf := s.bits(math.Float32bits(float32(math.Inf(-1))))
	ms := make([]reg.VecVirtual, 4)
	for i := range ms {
		ms[i] = s.vec()
		VMOVUPS(inf, ms[i])
	}
	s.loop(n, 4, []reg.GPVirtual{x}, func(v int, tail bool) {
		switch {
		case !tail:
			VMAXPS(s.at(x, v), ms[v], ms[v])
		case s.wide:
			VMAXPS(s.at(x, v), ms[v], reg.K1, ms[v])
		default:
			y := s.load(s.at(x, v), true)
			none := s.vec()
			VMOVUPS(inf, none)
			VBLENDVPS(s.tail, y, none, y)
			VMAXPS(y, ms[v], ms[v])
		}
	})
	m := s.across(fold(ms, VMAXPS), VMAXPS)
	Store(m.AsX(), ReturnIndex(0))
	s.ret()
}

func (s *isa) expSum() {
	s.function("exp", "func(y, x []float32, scale, shift float32) (sum float32)", `computes

	for i, v := range x {
		y[i] = exp32(scale*v - shift)
		sum += y[i]
	}`)
	y, x, n := base("y"), base("x"), length("x")
	scale, shift := s.param("scale"), s.param("shift")
	sums := s.zeros(2)
	s.loop(n, 2, []reg.GPVirtual{y, x}, func(v int, tail bool) {
		e := s.load(s.at(x, v), tail)
		VFMSUB213PS(shift, scale, e)
		e = s.exp(e)
		s.clearBeyond(e, tail)
		VADDPS(e, sums[v], sums[v])
		s.store(e, s.at(y, v), tail)
	})
	sum := s.across(fold(sums, VADDPS), VADDPS)
	Store(sum.AsX(), ReturnIndex(0))
	s.ret()
}
