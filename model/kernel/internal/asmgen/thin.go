package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A product of few rows reads thinStreams rows of B at a time, each from a place
// of its own: as many streams as a core's prefetcher follows without loss. With
// several rows to multiply them by it needs to be told thinAhead bytes ahead.
const (
	thinStreams = 4
	thinAhead   = 1024
)

// thinRows is the number of rows whose coefficients fit into registers. There is a
// kernel for each number up to it. What a row gets doesn't depend on which.
func (s *isa) thinRows() int {
	if s.wide {
		return 4
	}
	return 2
}

// thinKernels writes a kernel for each number of rows. step gets the first of the
// rows of x, far apart.
func (s *isa) thinKernels(name, signature string, doc func(rows int) []string, step func(rows int, x reg.GPVirtual)) {
	for rows := 1; rows <= s.thinRows(); rows++ {
		s.function(fmt.Sprintf("%s%d", name, rows), signature, doc(rows)...)
		x, steps := load64("x"), load64("steps")
		Label("step")
		first := GP64()
		MOVQ(x, first)
		step(rows, first)
		ldx := load64("ldx")
		LEAQ(Mem{Base: x, Index: ldx, Scale: 4}, x)
		DECQ(steps)
		JNZ(LabelRef("step"))
		s.ret()
	}
}

// thinLoop runs body over n columns for the vectors of thinStreams rows at x.
func (s *isa) thinLoop(rows int, n, x, ldx reg.GPVirtual, pointers []reg.GPVirtual, body func(v int, tail bool, streams [thinStreams]Op)) {
	SHLQ(Imm(2), ldx)
	IMULQ(address("far"), ldx)
	xs := rowPointers(x, ldx, thinStreams)
	unroll := 1
	if rows == 1 {
		unroll = 2
	}
	s.loop(n, unroll, append(pointers, xs...), func(v int, tail bool) {
		var streams [thinStreams]Op
		for i := range streams {
			m := rowAt(xs, ldx, i).Offset(v * s.bytes())
			streams[i] = m
			if rows > 1 || tail {
				streams[i] = s.load(m, tail)
			}
			if rows > 1 {
				PREFETCHT0(m.Offset(thinAhead))
			}
		}
		body(v, tail, streams)
	})
}

func (s *isa) thinCombine() {
	s.thinKernels("thinCombine", "func(y *float32, ldy, n int, a *float32, lda int, x *float32, ldx, far, steps int)", func(rows int) []string {
		return []string{"computes for steps > 0",
			"",
			"\tfor t := range steps {",
			fmt.Sprintf("\t\tfor s := range %d {", thinStreams),
			fmt.Sprintf("\t\t\tfor r := range %d {", rows),
			"\t\t\t\tfor j := range n { y[r*ldy+j] += a[r*lda+s*far+t] * x[(s*far+t)*ldx+j] }",
			"\t\t\t}",
			"\t\t}",
			"\t}"}
	}, func(rows int, x reg.GPVirtual) {
		coef := make([][thinStreams]reg.VecVirtual, rows)
		a, lda, far := load64("a"), load64("lda"), load64("far")
		SHLQ(Imm(2), far)
		for r := range coef {
			row := GP64()
			MOVQ(a, row)
			p := rowPointers(row, far, thinStreams)
			for i := range thinStreams {
				coef[r][i] = s.broadcast(rowAt(p, far, i))
			}
			LEAQ(Mem{Base: a, Index: lda, Scale: 4}, a)
		}
		ADDQ(Imm(4), address("a"))
		y, ldy := load64("y"), load64("ldy")
		SHLQ(Imm(2), ldy)
		ys := rowPointers(y, ldy, rows)
		s.thinLoop(rows, load64("n"), x, load64("ldx"), ys, func(v int, tail bool, streams [thinStreams]Op) {
			for r := range rows {
				m := rowAt(ys, ldy, r).Offset(v * s.bytes())
				sum := s.load(m, tail)
				for i, b := range streams {
					VFMADD231PS(b, coef[r][i], sum)
				}
				s.store(sum, m, tail)
			}
		})
	})
}

func (s *isa) thinDots() {
	s.thinKernels("thinDots", "func(c *float32, ldc, n int, a *float32, lda int, x *float32, ldx, far, steps int)", func(rows int) []string {
		return []string{"computes for steps > 0",
			"",
			"\tfor t := range steps {",
			fmt.Sprintf("\t\tfor s := range %d {", thinStreams),
			fmt.Sprintf("\t\t\tfor r := range %d { c[r*ldc+s*far+t] += dot(a[r*lda:r*lda+n], x[(s*far+t)*ldx:]) }", rows),
			"\t\t}",
			"\t}"}
	}, func(rows int, x reg.GPVirtual) {
		lda := load64("lda")
		SHLQ(Imm(2), lda)
		as := rowPointers(load64("a"), lda, rows)
		sums := make([][]reg.VecVirtual, rows)
		for r := range sums {
			sums[r] = s.zeros(thinStreams)
		}
		s.thinLoop(rows, load64("n"), x, load64("ldx"), as, func(v int, tail bool, streams [thinStreams]Op) {
			for r := range rows {
				a := s.load(rowAt(as, lda, r).Offset(v*s.bytes()), tail)
				for i, b := range streams {
					VFMADD231PS(b, a, sums[r][i])
				}
			}
		})
		s.addDots(sums)
	})
}

// addDots adds the lanes of each row's sums, one for each stream, to c[r*ldc+i*far], and
// moves c on to the next step.
func (s *isa) addDots(sums [][]reg.VecVirtual) {
	c, ldc, far := load64("c"), load64("ldc"), load64("far")
	SHLQ(Imm(2), far)
	for _, streams := range sums {
		row := GP64()
		MOVQ(c, row)
		p := rowPointers(row, far, thinStreams)
		for i, v := range streams {
			m, sum := rowAt(p, far, i), s.across(v, VADDPS).AsX()
			VADDSS(m, sum, sum)
			VMOVSS(sum, m)
		}
		LEAQ(Mem{Base: c, Index: ldc, Scale: 4}, c)
	}
	ADDQ(Imm(4), address("c"))
}
