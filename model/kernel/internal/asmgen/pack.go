package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packRows prefetches what it will read: no processor foresees a pattern of rows that are pages
// apart.
func (s *isa) packRows() {
	s.function("packRows", "func(dst *float32, ldd int, src *float32, lds, k, full, load, store, panels, width, next int)",
		"copies panels > 0 panels of k > 0 rows, each of full vectors and of another",
		"with the first load lanes from src, 0 in the rest of the first store lanes:",
		"",
		fmt.Sprintf("\tw := full*%d + load", s.lanes),
		"\tfor range panels {",
		"\t\tfor s := range k {",
		"\t\t\tcopy(dst[s*ldd:], src[s*lds:s*lds+w])",
		fmt.Sprintf("\t\t\tclear(dst[s*ldd+w : s*ldd+full*%d+store])", s.lanes),
		"\t\t}",
		"\t\tsrc, dst = src[width:], dst[next:]",
		"\t}")
	ldd, lds, full, loads, stores := load64("ldd"), load64("lds"), load64("full"), load64("load"), load64("store")
	for _, floats := range []Op{ldd, lds, address("width"), address("next")} {
		SHLQ(Imm(2), floats)
	}
	CMPQ(full, U32(len(s.rows)-2))
	JNE(LabelRef("notwidest"))
	CMPQ(loads, U32(s.lanes))
	JNE(LabelRef("notwidest"))
	s.packWidest(ldd, lds)
	Label("notwidest")
	if !s.wide {
		TESTQ(full, full)
		JNZ(LabelRef("notnarrow"))
		CMPQ(loads, stores)
		JNE(LabelRef("notnarrow"))
		CMPQ(loads, U32(4))
		JL(LabelRef("notnarrow"))
		s.packNarrow(ldd, lds, loads)
		Label("notnarrow")
	}
	s.packAny(ldd, lds, full, loads, stores)
	Label("done")
	s.ret()
}

// eachPanel runs rows for every panel. rows calls ahead once for every few rows of its panel,
// with the number of bytes in a segment. ahead prefetches the rows below those that are being
// packed, in the order of memory: all panels' parts of a row before the next row. That takes a
// third less time than prefetching in the order of packing. For a single panel it prefetches
// rows some way further down. It also prefetches where packing will write two panels later.
func (s *isa) eachPanel(name string, lds reg.GPVirtual, together, bytes int, rows func(dst, src, k reg.GPVirtual, ahead func())) {
	p, left, advance, each, skip, later := GP64(), GP64(), GP64(), AllocLocal(8), AllocLocal(8), load64("next")
	SHLQ(Imm(1), later)
	below, apart, row := load64("k"), load64("width"), GP64()
	MOVQ(apart, advance)
	MOVQ(lds, row)
	MOVQ(load64("panels"), left)
	if together == 2 {
		SHLQ(Imm(1), advance)
		INCQ(left)
		SHRQ(Imm(1), left)
	}
	CMPQ(address("panels"), Imm(1))
	JNE(LabelRef(name + "several"))
	MOVQ(U32(s.packAhead), below)
	if together == 2 { // the next segment lies in the next row
		MOVQ(lds, apart)
		SHLQ(Imm(1), row)
	}
	Label(name + "several")
	IMULQ(lds, below)
	MOVQ(load64("src"), p)
	ADDQ(below, p)
	MOVQ(left, each)
	columns := GP64()
	MOVQ(left, columns)
	IMULQ(advance, columns)
	SUBQ(columns, row)
	MOVQ(row, skip)
	calls := 0
	Label(name)
	dst := load64("dst")
	rows(dst, load64("src"), load64("k"), func() {
		calls++
		same := fmt.Sprintf("%sahead%d", name, calls)
		for line := 0; line < bytes; line += 64 {
			PREFETCHT0(Mem{Base: p, Disp: line})
			if together == 2 {
				PREFETCHT0(Mem{Base: p, Index: apart, Scale: 1, Disp: line})
			}
		}
		for line := 0; line < together*bytes; line += 64 {
			PREFETCHT0(Mem{Base: dst, Index: later, Scale: 1, Disp: line})
		}
		ADDQ(advance, p)
		DECQ(left)
		JNZ(LabelRef(same))
		ADDQ(skip, p)
		MOVQ(each, left)
		Label(same)
	})
	DECQ(address("panels"))
	JZ(LabelRef("done"))
	ADDQ(load64("width"), address("src"))
	ADDQ(load64("next"), address("dst"))
	JMP(LabelRef(name))
}

// packWidest copies rows that are as wide as B's widest panels, in whole vectors.
func (s *isa) packWidest(ldd, lds reg.GPVirtual) {
	vectors := len(s.rows) - 1
	s.eachPanel("widest", lds, 2, vectors*s.bytes(), func(dst, src, k reg.GPVirtual, ahead func()) {
		row := func(i int) {
			at := func(p, ld reg.GPVirtual, v int) Mem {
				return rowAt([]reg.GPVirtual{p}, ld, i).Offset(v * s.bytes())
			}
			for v := range vectors {
				VMOVUPS(s.load(at(src, lds, v), false), at(dst, ldd, v))
			}
		}
		SUBQ(Imm(2), k)
		JL(LabelRef("widestodd"))
		Label("widestpair")
		ahead()
		row(0)
		row(1)
		LEAQ(Mem{Base: src, Index: lds, Scale: 2}, src)
		LEAQ(Mem{Base: dst, Index: ldd, Scale: 2}, dst)
		SUBQ(Imm(2), k)
		JGE(LabelRef("widestpair"))
		Label("widestodd")
		ADDQ(Imm(1), k)
		JL(LabelRef("widestend"))
		ahead()
		row(0)
		Label("widestend")
	})
}

// packNarrow copies rows of 4 to 8 floats, as in panels of A: as whole vectors, whose excess the
// next row overwrites. The last row is copied as two halves that overlap, so that nothing
// after it is touched.
func (s *isa) packNarrow(ldd, lds, width reg.GPVirtual) {
	s.eachPanel("narrow", lds, 2, s.bytes(), func(dst, src, k reg.GPVirtual, ahead func()) {
		first, second := s.vec(), s.vec()
		SUBQ(Imm(3), k)
		JL(LabelRef("narrowodd"))
		Label("narrowpair")
		ahead()
		VMOVUPS(Mem{Base: src}, first)
		VMOVUPS(Mem{Base: src, Index: lds, Scale: 1}, second)
		VMOVUPS(first, Mem{Base: dst})
		VMOVUPS(second, Mem{Base: dst, Index: ldd, Scale: 1})
		LEAQ(Mem{Base: src, Index: lds, Scale: 2}, src)
		LEAQ(Mem{Base: dst, Index: ldd, Scale: 2}, dst)
		SUBQ(Imm(2), k)
		JGE(LabelRef("narrowpair"))
		Label("narrowodd")
		ahead()
		ADDQ(Imm(1), k)
		JL(LabelRef("narrowlast"))
		VMOVUPS(Mem{Base: src}, first)
		VMOVUPS(first, Mem{Base: dst})
		ADDQ(lds, src)
		ADDQ(ldd, dst)
		Label("narrowlast")
		low, high := XMM(), XMM()
		end := func(p reg.GPVirtual) Mem { return Mem{Base: p, Index: width, Scale: 4, Disp: -16} }
		VMOVUPS(Mem{Base: src}, low)
		VMOVUPS(end(src), high)
		VMOVUPS(low, Mem{Base: dst})
		VMOVUPS(high, end(dst))
	})
}

// packAny copies rows of any width.
func (s *isa) packAny(ldd, lds, full, loads, stores reg.GPVirtual) {
	if !s.wide {
		Comment("A masked store is slow on some processors. So all rows but the last are")
		Comment("written as whole vectors, which the next row overwrites, if ldd is 4 at least.")
	}
	// Two masks at the same time: the general one for loads, another for stores.
	s.setTail(stores)
	storeTail := s.tail
	if s.wide {
		KMOVW(reg.K1, reg.K2)
	}
	s.setTail(loads)
	s.eachPanel("any", lds, 1, s.bytes(), func(dst, src, k reg.GPVirtual, ahead func()) {
		Label("row")
		ahead()
		from, to, n := GP64(), GP64(), GP64()
		MOVQ(src, from)
		MOVQ(dst, to)
		MOVQ(full, n)
		TESTQ(n, n)
		JZ(LabelRef("rest"))
		Label("vector")
		VMOVUPS(s.load(Mem{Base: from}, false), Mem{Base: to})
		ADDQ(U32(s.bytes()), from)
		ADDQ(U32(s.bytes()), to)
		DECQ(n)
		JNZ(LabelRef("vector"))
		Label("rest")
		r := s.load(Mem{Base: from}, true)
		if s.wide {
			VMOVUPS(r, reg.K2, Mem{Base: to})
		} else {
			CMPQ(stores, U32(s.lanes))
			JE(LabelRef("whole"))
			CMPQ(k, U32(1))
			JE(LabelRef("masked"))
			CMPQ(ldd, U32(4*4)) // ldd in bytes
			JL(LabelRef("masked"))
			Label("whole")
			VMOVUPS(r, Mem{Base: to})
			JMP(LabelRef("next"))
			Label("masked")
			VMASKMOVPS(r, storeTail, Mem{Base: to})
			Label("next")
		}
		ADDQ(lds, src)
		ADDQ(ldd, dst)
		DECQ(k)
		JNZ(LabelRef("row"))
	})
}

// packColumns transposes in registers, a square of lanes×lanes at a time.
func (s *isa) packColumns() {
	s.function("transpose", "func(dst *float32, ldd int, src *float32, lds, squares, rows, store int)",
		"transposes squares > 0 squares of up to that many rows, one",
		"after another in src's rows; it writes store ≥ rows lanes:",
		"",
		fmt.Sprintf("\tfor s := range squares * %d {", s.lanes),
		"\t\tfor i := range rows { dst[s*ldd+i] = src[i*lds+s] }",
		"\t\tclear(dst[s*ldd+rows : s*ldd+store])",
		"\t}")
	if !s.wide {
		Comment("All but the last row of a square are written as whole vectors,")
		Comment("which the next row overwrites: ldd has to be 4 at least.")
	}
	dst, ldd, src, lds := load64("dst"), load64("ldd"), load64("src"), load64("lds")
	squares, rows, stores := load64("squares"), load64("rows"), load64("store")
	SHLQ(Imm(2), ldd)
	SHLQ(Imm(2), lds)
	s.setTail(stores)
	x := make([]reg.VecVirtual, s.lanes)
	for i := range x {
		x[i] = s.vec()
	}
	Label("square")
	p, n := GP64(), GP64()
	MOVQ(src, p)
	MOVQ(rows, n)
	for i := range x {
		s.zero(x[i])
	}
	for i := range x {
		VMOVUPS(Mem{Base: p}, x[i])
		if i < s.lanes-1 {
			DECQ(n)
			JZ(LabelRef("loaded"))
			ADDQ(lds, p)
		}
	}
	Label("loaded")
	y := s.transposed(x)
	for i := range y {
		if s.wide {
			s.store(y[i], Mem{Base: dst}, true)
		} else if i < s.lanes-1 {
			VMOVUPS(y[i], Mem{Base: dst})
		} else {
			CMPQ(stores, U32(s.lanes))
			JNE(LabelRef("masked"))
			VMOVUPS(y[i], Mem{Base: dst})
			JMP(LabelRef("next"))
			Label("masked")
			s.store(y[i], Mem{Base: dst}, true)
			Label("next")
		}
		ADDQ(ldd, dst)
	}
	ADDQ(U32(s.bytes()), src)
	DECQ(squares)
	JNZ(LabelRef("square"))
	s.ret()
}

// transposed returns the columns of the square that the rows x form. It overwrites x.
func (s *isa) transposed(x []reg.VecVirtual) []reg.VecVirtual {
	// Interleave pairs of rows, and then pairs of pairs, within each 128-bit quarter. After that
	// quarter q of x[4g+c] has column 4q+c of rows 4g to 4g+3.
	for g := 0; g < len(x); g += 4 {
		ab, AB, cd, CD := s.vec(), s.vec(), s.vec(), s.vec()
		VUNPCKLPS(x[g+1], x[g], ab)
		VUNPCKHPS(x[g+1], x[g], AB)
		VUNPCKLPS(x[g+3], x[g+2], cd)
		VUNPCKHPS(x[g+3], x[g+2], CD)
		VUNPCKLPD(cd, ab, x[g])
		VUNPCKHPD(cd, ab, x[g+1])
		VUNPCKLPD(CD, AB, x[g+2])
		VUNPCKHPD(CD, AB, x[g+3])
	}
	y := make([]reg.VecVirtual, len(x))
	if !s.wide {
		for c := range 4 {
			high := s.vec()
			VPERM2F128(Imm(0x31), x[4+c], x[c], high)
			VPERM2F128(Imm(0x20), x[4+c], x[c], x[c])
			y[c], y[4+c] = x[c], high
		}
		return y
	}
	// The quarters form a 4×4 matrix of blocks: transpose it with two rounds of shuffles.
	for c := range 4 {
		even, odd, Even, Odd := s.vec(), s.vec(), s.vec(), s.vec()
		VSHUFF32X4(Imm(0x88), x[4+c], x[c], even)
		VSHUFF32X4(Imm(0xdd), x[4+c], x[c], odd)
		VSHUFF32X4(Imm(0x88), x[12+c], x[8+c], Even)
		VSHUFF32X4(Imm(0xdd), x[12+c], x[8+c], Odd)
		VSHUFF32X4(Imm(0x88), Even, even, x[c])
		VSHUFF32X4(Imm(0x88), Odd, odd, x[4+c])
		VSHUFF32X4(Imm(0xdd), Even, even, x[8+c])
		VSHUFF32X4(Imm(0xdd), Odd, odd, x[12+c])
		y[c], y[4+c], y[8+c], y[12+c] = x[c], x[4+c], x[8+c], x[12+c]
	}
	return y
}
