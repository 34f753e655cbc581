package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A product of few rows reads streams rows of B at a time. If it multiplies them by several
// rows, it prefetches streamAhead bytes ahead.
const (
	streams     = 4
	streamAhead = 1024
)

// fewRows is the number of rows whose coefficients fit into registers. There is a kernel for
// each number of rows up to it, and all of them sum alike.
func (s *isa) fewRows() int {
	if s.wide {
		return 4
	}
	return 2
}

// rowsKernels writes a kernel for each number of rows. step gets a pointer to the first of the
// streams of x; after it x moves on by advance rows.
func (s *isa) rowsKernels(name, signature string, advance int, doc func(rows int) []string, step func(rows int, x reg.GPVirtual)) {
	for rows := 1; rows <= s.fewRows(); rows++ {
		s.function(fmt.Sprintf("%s%d", name, rows), signature, doc(rows)...)
		x, steps := load64("x"), load64("steps")
		Label("step")
		first := GP64()
		MOVQ(x, first)
		step(rows, first)
		ldx := load64("ldx")
		SHLQ(Imm(2), ldx)
		if advance > 1 {
			IMUL3Q(U32(advance), ldx, ldx)
		}
		ADDQ(ldx, x)
		DECQ(steps)
		JNZ(LabelRef("step"))
		s.ret()
	}
}

// rowsLoop runs body over n columns for the vectors of the streams at xs, which are apart bytes
// from each other. Unless ahead is nil, it prefetches what ahead returns for stream i, whose
// vector is at m.
func (s *isa) rowsLoop(rows int, n reg.GPVirtual, xs []reg.GPVirtual, apart reg.GPVirtual, pointers []reg.GPVirtual, ahead func(i int, m Mem) Mem, body func(v int, tail bool, streams [streams]Op)) {
	unroll := 1
	if rows == 1 {
		unroll = 2
	}
	s.loop(n, unroll, append(pointers, xs...), func(v int, tail bool) {
		var from [streams]Op
		for i := range from {
			m := rowAt(xs, apart, i).Offset(v * s.bytes())
			from[i] = m
			if rows > 1 || tail {
				from[i] = s.load(m, tail)
			}
			if ahead != nil {
				PREFETCHT0(ahead(i, m))
			}
		}
		body(v, tail, from)
	})
}

func (s *isa) combineRows() {
	s.rowsKernels("combineRows", "func(y *float32, ldy, n int, a *float32, lda int, x *float32, ldx, steps int)", streams, func(rows int) []string {
		return []string{"computes for steps > 0",
			"",
			fmt.Sprintf("\tfor s := range %d*steps {", streams),
			fmt.Sprintf("\t\tfor r := range %d {", rows),
			"\t\t\tfor j := range n { y[r*ldy+j] += a[r*lda+s] * x[s*ldx+j] }",
			"\t\t}",
			"\t}"}
	}, func(rows int, x reg.GPVirtual) {
		coef := make([][streams]reg.VecVirtual, rows)
		a, lda := load64("a"), load64("lda")
		for r := range coef {
			for i := range streams {
				coef[r][i] = s.broadcast(Mem{Base: a, Disp: 4 * i})
			}
			LEAQ(Mem{Base: a, Index: lda, Scale: 4}, a)
		}
		ADDQ(Imm(4*streams), address("a"))
		y, ldy, ldx := load64("y"), load64("ldy"), load64("ldx")
		SHLQ(Imm(2), ldy)
		SHLQ(Imm(2), ldx)
		ys := rowPointers(y, ldy, rows)
		xs := rowPointers(x, ldx, 2*streams)
		next := func(i int, m Mem) Mem { return rowAt(xs, ldx, streams+i).Offset(m.Disp) } // of the next step
		s.rowsLoop(rows, load64("n"), xs, ldx, ys, next, func(v int, tail bool, from [streams]Op) {
			for r := range rows {
				m := rowAt(ys, ldy, r).Offset(v * s.bytes())
				sum := s.load(m, tail)
				for i, b := range from {
					VFMADD231PS(b, coef[r][i], sum)
				}
				s.store(sum, m, tail)
			}
		})
	})
}

func (s *isa) dotsRows() {
	s.rowsKernels("dotsRows", "func(c *float32, ldc, n int, a *float32, lda int, x *float32, ldx, far, steps int)", 1, func(rows int) []string {
		return []string{"computes for steps > 0",
			"",
			"\tfor t := range steps {",
			fmt.Sprintf("\t\tfor s := range %d {", streams),
			fmt.Sprintf("\t\t\tfor r := range %d { c[r*ldc+s*far+t] += dot(a[r*lda:r*lda+n], x[(s*far+t)*ldx:]) }", rows),
			"\t\t}",
			"\t}"}
	}, func(rows int, x reg.GPVirtual) {
		lda := load64("lda")
		SHLQ(Imm(2), lda)
		as := rowPointers(load64("a"), lda, rows)
		sums := make([][]reg.VecVirtual, rows)
		for r := range sums {
			sums[r] = s.zeros(streams)
		}
		apart := load64("ldx")
		SHLQ(Imm(2), apart)
		IMULQ(address("far"), apart)
		further := func(_ int, m Mem) Mem { return m.Offset(streamAhead) }
		if rows == 1 {
			further = nil
		}
		s.rowsLoop(rows, load64("n"), rowPointers(x, apart, streams), apart, as, further, func(v int, tail bool, from [streams]Op) {
			for r := range rows {
				a := s.load(rowAt(as, lda, r).Offset(v*s.bytes()), tail)
				for i, b := range from {
					VFMADD231PS(b, a, sums[r][i])
				}
			}
		})
		s.addDots(sums)
	})
}

// addDots adds to c[r*ldc+i*far] the sum of the lanes of vector i of row r, one vector for each
// stream, and moves c on to the next step.
func (s *isa) addDots(sums [][]reg.VecVirtual) {
	c, ldc, far := load64("c"), load64("ldc"), load64("far")
	SHLQ(Imm(2), far)
	for _, lanes := range sums {
		row := GP64()
		MOVQ(c, row)
		p := rowPointers(row, far, streams)
		total := s.across4(lanes)
		for i := range lanes {
			m, sum := rowAt(p, far, i), total
			if i > 0 {
				sum = s.vec()
				VPERMILPS(Imm(uint64(i)), total, sum)
			}
			VADDSS(m, sum.AsX(), sum.AsX())
			VMOVSS(sum.AsX(), m)
		}
		LEAQ(Mem{Base: c, Index: ldc, Scale: 4}, c)
	}
	ADDQ(Imm(4), address("c"))
}
