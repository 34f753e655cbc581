package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packRows asks for what it will read some rows later: rows that are pages apart are a
// pattern that no processor foresees.
func (s *isa) packRows() {
	s.function("packRows", "func(dst *float32, ldd int, src *float32, lds, k, full, load, store, panels, width, next int, alpha float32)",
		"copies panels > 0 panels of k > 0 rows, each of full vectors and of another",
		"with the first load lanes from src, 0 in the rest of the first store lanes:",
		"",
		fmt.Sprintf("\tw := full*%d + load", s.lanes),
		"\tfor range panels {",
		"\t\tfor s := range k {",
		"\t\t\tfor i := range w { dst[s*ldd+i] = alpha * src[s*lds+i] }",
		fmt.Sprintf("\t\t\tclear(dst[s*ldd+w : s*ldd+full*%d+store])", s.lanes),
		"\t\t}",
		"\t\tsrc, dst = src[width:], dst[next:]",
		"\t}")
	if !s.wide {
		Comment("A masked store is slow on some processors. So all rows but the last are")
		Comment("written as whole vectors, which the next row overwrites, if ldd is 4 at least.")
	}
	ldd, lds, full, loads, stores := load64("ldd"), load64("lds"), load64("full"), load64("load"), load64("store")
	for _, floats := range []Op{ldd, lds, address("width"), address("next")} {
		SHLQ(Imm(2), floats)
	}
	alpha := s.param("alpha")
	// Two masks at once: the general one for loads, another for stores.
	s.setTail(stores)
	storeTail := s.tail
	if s.wide {
		KMOVW(reg.K1, reg.K2)
	}
	s.setTail(loads)
	lead := GP64()
	MOVQ(lds, lead)
	SHLQ(Imm(s.packAheadLog), lead)
	Label("panel")
	dst, src, k := load64("dst"), load64("src"), load64("k")
	if !s.wide {
		s.packNarrow(dst, ldd, src, lds, k, full, loads, stores, alpha)
	}
	s.packWidest(dst, ldd, src, lds, lead, k, full, loads, alpha)
	Label("row")
	from, to, n := GP64(), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(dst, to)
	MOVQ(full, n)
	TESTQ(n, n)
	JZ(LabelRef("rest"))
	Label("vector")
	v := s.vec()
	PREFETCHT0(Mem{Base: from, Index: lead, Scale: 1})
	VMULPS(Mem{Base: from}, alpha, v)
	VMOVUPS(v, Mem{Base: to})
	ADDQ(U32(s.bytes()), from)
	ADDQ(U32(s.bytes()), to)
	DECQ(n)
	JNZ(LabelRef("vector"))
	Label("rest")
	PREFETCHT0(Mem{Base: from, Index: lead, Scale: 1})
	r := s.load(Mem{Base: from}, true)
	VMULPS(alpha, r, r)
	if s.wide {
		VMOVUPS(r, reg.K2, Mem{Base: to})
	} else {
		CMPQ(stores, U32(s.lanes))
		JE(LabelRef("whole"))
		CMPQ(k, U32(1))
		JE(LabelRef("masked"))
		CMPQ(ldd, U32(4*4)) // floats in bytes
		JL(LabelRef("masked"))
		Label("whole")
		VMOVUPS(r, Mem{Base: to})
		JMP(LabelRef("next"))
		Label("masked")
		VMASKMOVPS(r, storeTail, Mem{Base: to})
	}
	Label("next")
	ADDQ(lds, src)
	ADDQ(ldd, dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	Label("following")
	DECQ(address("panels"))
	JZ(LabelRef("done"))
	ADDQ(load64("width"), address("src"))
	ADDQ(load64("next"), address("dst"))
	JMP(LabelRef("panel"))
	Label("done")
	s.ret()
}

// packWidest copies rows of as many whole vectors as a panel of B has at most.
func (s *isa) packWidest(dst, ldd, src, lds, lead, k, full, loads reg.GPVirtual, alpha reg.VecVirtual) {
	vectors := len(s.rows) - 1
	CMPQ(full, U32(vectors-1))
	JNE(LabelRef("row"))
	CMPQ(loads, U32(s.lanes))
	JNE(LabelRef("row"))
	Label("widest")
	for v := range vectors {
		from := s.at(src, v)
		if v*s.bytes()%64 == 0 {
			PREFETCHT0(Mem{Base: src, Index: lead, Scale: 1, Disp: from.Disp})
		}
		x := s.vec()
		VMULPS(from, alpha, x)
		VMOVUPS(x, s.at(dst, v))
	}
	ADDQ(lds, src)
	ADDQ(ldd, dst)
	DECQ(k)
	JNZ(LabelRef("widest"))
	JMP(LabelRef("following"))
}

// packNarrow copies rows of 4 to 8 floats, what a panel of A has, as two halves that
// overlap: no masks, and nothing behind a row is touched. The rows are those of a strip,
// which all panels side by side are packed from before the next strip. So it asks for the
// panel's rows in that one; if a strip is long, so that by then the cache has forgotten
// them, for what the same row has for a later panel.
func (s *isa) packNarrow(dst, ldd, src, lds, k, full, loads, stores reg.GPVirtual, alpha reg.VecVirtual) {
	TESTQ(full, full)
	JNZ(LabelRef("wide"))
	CMPQ(loads, stores)
	JNE(LabelRef("wide"))
	CMPQ(loads, U32(4))
	JL(LabelRef("wide"))
	ahead := GP64()
	MOVQ(k, ahead)
	IMULQ(lds, ahead)
	CMPQ(ahead, U32(longStrip))
	JLE(LabelRef("narrow"))
	MOVQ(U32(narrowAhead), ahead)
	Label("narrow")
	PREFETCHT0(Mem{Base: src, Index: ahead, Scale: 1})
	low, high := XMM(), XMM()
	second := func(p reg.GPVirtual) Mem { return Mem{Base: p, Index: loads, Scale: 4, Disp: -16} }
	VMULPS(Mem{Base: src}, alpha.AsX(), low)
	VMULPS(second(src), alpha.AsX(), high)
	VMOVUPS(low, Mem{Base: dst})
	VMOVUPS(high, second(dst))
	ADDQ(lds, src)
	ADDQ(ldd, dst)
	DECQ(k)
	JNZ(LabelRef("narrow"))
	JMP(LabelRef("following"))
	Label("wide")
}

const (
	longStrip   = 16 << 10 // bytes of a strip that leave the next one no room in the first-level cache
	narrowAhead = 256      // bytes that packNarrow asks ahead for in a row then
)

// packColumns transposes in registers, a square of lanes×lanes at a time.
func (s *isa) packColumns() {
	s.function("transpose", "func(dst *float32, ldd int, src *float32, lds, squares, rows, store int, alpha float32)",
		"transposes squares > 0 squares of up to that many rows, one",
		"after another in src's rows; it writes store ≥ rows lanes:",
		"",
		fmt.Sprintf("\tfor s := range squares * %d {", s.lanes),
		"\t\tfor i := range rows { dst[s*ldd+i] = alpha * src[i*lds+s] }",
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
	alpha := address("alpha")
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
	scale := s.broadcast(alpha)
	for i := range y {
		VMULPS(scale, y[i], y[i])
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

// transposed returns the columns of the square of rows x, which it overwrites.
func (s *isa) transposed(x []reg.VecVirtual) []reg.VecVirtual {
	// Pairs of rows, then of pairs, interleaved within each 128-bit quarter: after
	// that x[4g+c] has in quarter q the column 4q+c of rows 4g to 4g+3.
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
	// Quarters are blocks of a 4×4 matrix: transpose it with two rounds of shuffles.
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
