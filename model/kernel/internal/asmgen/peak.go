package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// chains is the number of sums that fma adds to in turn: more than the multiply-adds that a
// processor has under way at a time (two each cycle, four or five cycles long).
const chains = 12

func (s *isa) fma() {
	s.function("fma", "func(rounds int)", "makes 12 vector multiply-adds a round, on registers alone.")
	rounds := load64("rounds")
	sums := s.zeros(chains)
	x, y := s.vec(), s.vec()
	s.zero(x)
	s.zero(y)
	Label("round")
	for _, sum := range sums {
		VFMADD231PS(x, y, sum)
	}
	DECQ(rounds)
	JNZ(LabelRef("round"))
	s.ret()
}
