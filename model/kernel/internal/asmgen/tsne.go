package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// studentForces has one sum of each kind: the division takes longer than a sum.
func (s *isa) studentForces() {
	s.function("studentForces", "func(sums *float32, p, x, y []float32, px, py float32)", `computes

	for j, w := range p {
		dx, dy := px-x[j], py-y[j]
		q := 1 / (1 + dx*dx + dy*dy)
		sums[0] += q
		sums[1], sums[2] = sums[1]+w*q*dx, sums[2]+w*q*dy
		sums[3], sums[4] = sums[3]+q*q*dx, sums[4]+q*q*dy
	}`)
	sums, p, x, y, n := load64("sums"), base("p"), base("x"), base("y"), length("p")
	px, py := s.param("px"), s.param("py")
	one := s.vec()
	VMOVUPS(s.constant(1), one)
	all := s.zeros(5)
	s.loop(n, 1, []reg.GPVirtual{p, x, y}, func(v int, tail bool) {
		dx, dy, q := s.vec(), s.vec(), s.vec()
		VSUBPS(s.load(s.at(x, v), tail), px, dx)
		VSUBPS(s.load(s.at(y, v), tail), py, dy)
		VMOVAPS(one, q)
		VFMADD231PS(dx, dx, q)
		VFMADD231PS(dy, dy, q)
		VDIVPS(q, one, q)
		s.clearBeyond(q, tail)
		w := s.load(s.at(p, v), tail)
		VADDPS(q, all[0], all[0])
		VMULPS(q, w, w)
		VFMADD231PS(w, dx, all[1])
		VFMADD231PS(w, dy, all[2])
		VMULPS(q, q, q)
		VFMADD231PS(q, dx, all[3])
		VFMADD231PS(q, dy, all[4])
	})
	for i, v := range all {
		VMOVSS(s.across(v, VADDPS).AsX(), Mem{Base: sums, Disp: 4 * i})
	}
	s.ret()
}
