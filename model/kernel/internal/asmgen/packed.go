package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packing is a format of package kernel's Packed: rows of blocks, each of some words for some
// columns.
type packing struct {
	name           string
	words, columns int
	// decode calls use with the vectors of the block at m, in the order of columns, and with the
	// number of each vector's first column.
	decode func(s *isa, m Mem, use func(v reg.VecVirtual, column int))
}

// packings are explained at kernel's packBFloat16 and packInt8.
var packings = []packing{
	{"BFloat16", 16, 32, func(s *isa, m Mem, use func(v reg.VecVirtual, column int)) {
		for i := 0; i < 16; i += s.lanes {
			low := s.load(m.Offset(4*i), false)
			VPSLLD(Imm(16), low, low)
			use(low, i)
		}
		for i := 0; i < 16; i += s.lanes {
			high := s.load(m.Offset(4*i), false)
			if s.wide {
				VPANDD(s.bits(0xffff0000), high, high)
			} else {
				VPAND(s.bits(0xffff0000), high, high)
			}
			use(high, 16+i)
		}
	}},
	{"Int8", 17, 64, func(s *isa, m Mem, use func(v reg.VecVirtual, column int)) {
		scale := s.broadcast(m)
		for i := 0; i < 64; i += s.lanes {
			v := s.vec()
			VPMOVSXBD(m.Offset(4+i), v)
			VCVTDQ2PS(v, v)
			VMULPS(scale, v, v)
			use(v, i)
		}
	}},
}

// packed writes the kernels for each packing.
func (s *isa) packed() {
	for _, p := range packings {
		for rows := 1; rows <= s.fewRows(); rows++ {
			s.packedDots(p, rows)
		}
		s.unpack(p)
	}
}

func (s *isa) packedDots(p packing, rows int) {
	s.function(fmt.Sprintf("packedDots%s%d", p.name, rows), "func(c *float32, ldc int, a *float32, lda int, w *uint32, blocks, far, steps int)",
		"computes for blocks, steps > 0, with the rows of w unpacked and",
		fmt.Sprintf("n = %d*blocks:", p.columns),
		"",
		"\tfor t := range steps {",
		fmt.Sprintf("\t\tfor s := range %d {", streams),
		fmt.Sprintf("\t\t\tfor r := range %d { c[r*ldc+s*far+t] += dot(a[r*lda:r*lda+n], w[s*far+t]) }", rows),
		"\t\t}",
		"\t}")
	w, steps := load64("w"), load64("steps")
	Label("step")
	lda := load64("lda")
	SHLQ(Imm(2), lda)
	as := rowPointers(load64("a"), lda, rows)
	// row and far: the bytes of one row of w, and of far rows.
	row, far, n := GP64(), GP64(), load64("blocks")
	IMUL3Q(U32(4*p.words), n, row)
	MOVQ(row, far)
	IMULQ(address("far"), far)
	first := GP64()
	MOVQ(w, first)
	ADDQ(row, w)
	ws := rowPointers(first, far, streams)
	sums := make([][]reg.VecVirtual, rows)
	for r := range sums {
		sums[r] = s.zeros(streams)
	}
	Label("block")
	for i := range streams {
		m := rowAt(ws, far, i)
		p.decode(s, m, func(v reg.VecVirtual, column int) {
			for r := range rows {
				VFMADD231PS(rowAt(as, lda, r).Offset(4*column), v, sums[r][i])
			}
		})
		PREFETCHT0(m.Offset(streamAhead))
	}
	for _, x := range ws {
		ADDQ(U32(4*p.words), x)
	}
	for _, x := range as {
		ADDQ(U32(4*p.columns), x)
	}
	DECQ(n)
	JNZ(LabelRef("block"))

	s.addDots(sums)
	DECQ(steps)
	JNZ(LabelRef("step"))
	s.ret()
}

func (s *isa) unpack(p packing) {
	s.function("unpack"+p.name, "func(y *float32, w *uint32, blocks int)",
		fmt.Sprintf("writes the %d columns of each block, blocks > 0.", p.columns))
	y, w, n := load64("y"), load64("w"), load64("blocks")
	Label("block")
	p.decode(s, Mem{Base: w}, func(v reg.VecVirtual, column int) {
		s.store(v, Mem{Base: y, Disp: 4 * column}, false)
	})
	ADDQ(U32(4*p.words), w)
	ADDQ(U32(4*p.columns), y)
	DECQ(n)
	JNZ(LabelRef("block"))
	s.ret()
}
