package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sigmoidRows is for rows of any length; a row's last vector is a tail.
func (s *isa) sigmoidRows() {
	s.function("sigmoidRows", "func(x *float32, weights []float32, n int)", "computes for len(weights) > 0",
		"",
		"\tfor i, w := range weights {",
		"\t\tfor j := range n { x[i*n+j] = w * sigmoid(x[i*n+j]) }",
		"\t}")
	x, weights, rows := load64("x"), base("weights"), length("weights")
	one := s.vec()
	VMOVUPS(s.constant(1), one)
	minus := s.vec()
	VMOVUPS(s.constant(-1), minus)
	Label("row")
	w := s.broadcast(Mem{Base: weights})
	n, p := load64("n"), GP64()
	MOVQ(x, p)
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, x)
	s.loop(n, 1, []reg.GPVirtual{p}, func(v int, tail bool) {
		e := s.load(s.at(p, v), tail)
		VMULPS(minus, e, e)
		e = s.exp(e)
		VADDPS(one, e, e)
		VDIVPS(e, w, e)
		s.store(e, s.at(p, v), tail)
	})
	ADDQ(Imm(4), weights)
	DECQ(rows)
	JNZ(LabelRef("row"))
	s.ret()
}
