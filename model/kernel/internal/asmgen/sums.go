package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) dot() {
	s.function("dot", "func(x, y []float32) float32", `returns

	for i := range x { sum += x[i] * y[i] }`)
	x, y, n := base("x"), base("y"), length("x")
	sums := s.zeros(4)
	s.loop(n, 4, []reg.GPVirtual{x, y}, func(v int, tail bool) {
		VFMADD231PS(s.load(s.at(x, v), tail), s.load(s.at(y, v), tail), sums[v])
	})
	sum := s.across(fold(sums, VADDPS), VADDPS)
	Store(sum.AsX(), ReturnIndex(0))
	s.ret()
}

// dots reads eight rows at a time, which is as many streams as memory is fast with. It sums in
// the order of dotsRows.
func (s *isa) dots() {
	for _, rows := range []int{1, 8} {
		s.function(fmt.Sprintf("dots%d", rows), "func(sum *float32, x []float32, y *float32, ldy int)",
			"computes",
			"",
			fmt.Sprintf("\tfor r := range %d { sum[r] = dot(x, y[r*ldy:]) }", rows))
		sum, x, n, ldy := load64("sum"), base("x"), length("x"), load64("ldy")
		SHLQ(Imm(2), ldy)
		y := rowPointers(load64("y"), ldy, rows)
		sums := s.zeros(rows)
		s.loop(n, 1, append([]reg.GPVirtual{x}, y...), func(v int, tail bool) {
			a := s.load(s.at(x, v), tail)
			for r := range sums {
				m := rowAt(y, ldy, r)
				if tail {
					VFMADD231PS(s.load(m, true), a, sums[r])
				} else {
					VFMADD231PS(m, a, sums[r])
				}
			}
		})
		if rows == 1 {
			VMOVSS(s.across1(sums[0]).AsX(), Mem{Base: sum})
		}
		for r := 0; r+4 <= rows; r += 4 {
			four := s.across4(sums[r : r+4])
			if m := (Mem{Base: sum, Disp: 4 * r}); s.wide {
				VEXTRACTF32X4(Imm(0), four, m)
			} else {
				VEXTRACTF128(Imm(0), four, m)
			}
		}
		s.ret()
	}
}

func (s *isa) combine() {
	for _, rows := range []int{1, 8} {
		s.function(fmt.Sprintf("combine%d", rows), "func(y []float32, coef, x *float32, ldx int)",
			fmt.Sprintf("adds a combination of %d rows:", rows),
			"",
			fmt.Sprintf("\tfor s := range %d {", rows),
			"\t\tfor j := range y { y[j] += coef[s] * x[s*ldx+j] }",
			"\t}")
		y, n, coef, ldx := base("y"), length("y"), load64("coef"), load64("ldx")
		SHLQ(Imm(2), ldx)
		x := rowPointers(load64("x"), ldx, rows)
		c := make([]reg.VecVirtual, rows)
		for i := range c {
			c[i] = s.broadcast(Mem{Base: coef, Disp: 4 * i})
		}
		s.loop(n, 2, append([]reg.GPVirtual{y}, x...), func(v int, tail bool) {
			sum := s.load(s.at(y, v), tail)
			for i := range c {
				m := rowAt(x, ldx, i).Offset(v * s.bytes())
				if tail {
					VFMADD231PS(s.load(m, true), c[i], sum)
				} else {
					VFMADD231PS(m, c[i], sum)
				}
			}
			s.store(sum, s.at(y, v), tail)
		})
		s.ret()
	}
}

// columnSums takes eight rows at a time, each into a sum of its own.
func (s *isa) columnSums() {
	s.function("columnSums", "func(sum []float32, x *float32, ldx, rows int)", `adds the sums of columns:

	for r := range rows {
		for j := range sum { sum[j] += x[r*ldx+j] }
	}`)
	const together = 8
	sum, n, x, ldx := base("sum"), length("sum"), load64("x"), load64("ldx")
	SHLQ(Imm(2), ldx)
	s.loop(n, 1, []reg.GPVirtual{sum, x}, func(v int, tail bool) {
		labels++
		many, few, single, done := label("rows"), label("few"), label("row"), label("added")
		sums := s.zeros(together)
		add := func(p Mem, to reg.VecVirtual) {
			if tail {
				VADDPS(s.load(p, true), to, to)
			} else {
				VADDPS(p, to, to)
			}
		}
		rows, first := GP64(), GP64()
		MOVQ(address("rows"), rows)
		MOVQ(x, first)
		p := rowPointers(first, ldx, together)
		Label(many)
		SUBQ(Imm(together), rows)
		JL(LabelRef(few))
		for r := range together {
			add(rowAt(p, ldx, r), sums[r])
		}
		for _, q := range p {
			LEAQ(Mem{Base: q, Index: ldx, Scale: together}, q)
		}
		JMP(LabelRef(many))
		Label(few)
		ADDQ(Imm(together), rows)
		JZ(LabelRef(done))
		Label(single)
		add(Mem{Base: first}, sums[0])
		ADDQ(ldx, first)
		DECQ(rows)
		JNZ(LabelRef(single))
		Label(done)
		total := fold(sums, VADDPS)
		add(s.at(sum, v), total)
		s.store(total, s.at(sum, v), tail)
	})
	s.ret()
}
