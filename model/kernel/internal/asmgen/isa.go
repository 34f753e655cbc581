package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const nosplit = attr.NOSPLIT

// isa is an instruction set. Most instructions have one name for both widths of vectors; the
// methods are what differs.
type isa struct {
	suffix string // of function names
	lanes  int    // float32 in a vector
	wide   bool   // AVX-512: 16 lanes, and masks in registers of their own
	rows   []int  // most rows of a tile, by its vectors of columns

	packAhead int // rows that packing a single panel prefetches ahead, as measured

	tail reg.VecVirtual // mask of the last, partial vector (AVX2; AVX-512 has it in K1)
}

var (
	avx2   = &isa{suffix: "AVX2", lanes: 8, rows: []int{0, 6, 6}, packAhead: 32}
	avx512 = &isa{suffix: "AVX512", lanes: 16, wide: true, rows: []int{0, 14, 14, 9}, packAhead: 8}
)

// function begins a function whose name ends with the instruction set's suffix.
func (s *isa) function(name, signature string, doc ...string) {
	TEXT(name+s.suffix, nosplit, signature)
	Pragma("noescape")
	Doc(strings.Split(name+s.suffix+" "+strings.Join(doc, "\n"), "\n")...)
}

func (s *isa) vec() reg.VecVirtual {
	if s.wide {
		return ZMM()
	}
	return YMM()
}

func (s *isa) bytes() int { return 4 * s.lanes }

// constant returns a vector of x in read-only memory.
func (s *isa) constant(x float64) Mem { return s.bits(math.Float32bits(float32(x))) }

func (s *isa) bits(x uint32) Mem {
	words := make([]uint32, 16)
	for i := range words {
		words[i] = x
	}
	return global(fmt.Sprintf("all%08x", x), words...)
}

var constants = map[string]Mem{}

// global returns read-only memory that holds these words.
func global(name string, xs ...uint32) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i, x := range xs {
		DATA(4*i, U32(x))
	}
	constants[name] = m
	return m
}

func (s *isa) zero(v reg.VecVirtual) {
	if s.wide {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func (s *isa) zeros(n int) []reg.VecVirtual {
	vs := make([]reg.VecVirtual, n)
	for i := range vs {
		vs[i] = s.vec()
		s.zero(vs[i])
	}
	return vs
}

func (s *isa) broadcast(m Op) reg.VecVirtual {
	v := s.vec()
	VBROADCASTSS(m, v)
	return v
}

// param broadcasts a float32 parameter.
func (s *isa) param(name string) reg.VecVirtual { return s.broadcast(address(name)) }

func address(param string) Mem {
	c, err := Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

func base(param string) reg.GPVirtual {
	return Load(Param(param).Base(), GP64()).(reg.GPVirtual)
}

func length(param string) reg.GPVirtual {
	return Load(Param(param).Len(), GP64()).(reg.GPVirtual)
}

func load64(param string) reg.GPVirtual {
	return Load(Param(param), GP64()).(reg.GPVirtual)
}

// setTail makes the mask of the first n lanes, 1 ≤ n ≤ lanes.
func (s *isa) setTail(n reg.GPVirtual) {
	if s.wide {
		one, m := GP64(), GP64()
		MOVQ(U32(1), one)
		SHLXQ(n, one, m)
		DECQ(m)
		KMOVW(m.As32(), reg.K1)
		return
	}
	all := uint32(math.MaxUint32)
	t := global("tails", all, all, all, all, all, all, all, all, 0, 0, 0, 0, 0, 0, 0, 0)
	p := GP64()
	LEAQ(t.Offset(32), p)
	i := GP64()
	MOVQ(n, i)
	NEGQ(i)
	s.tail = s.vec()
	VMOVUPS(Mem{Base: p, Index: i, Scale: 4}, s.tail)
}

// load loads a vector; with tail only the first lanes of it, by the mask, and 0 elsewhere.
func (s *isa) load(m Mem, tail bool) reg.VecVirtual {
	v := s.vec()
	switch {
	case !tail:
		VMOVUPS(m, v)
	case s.wide:
		VMOVUPS_Z(m, reg.K1, v)
	default:
		VMASKMOVPS(m, s.tail, v)
	}
	return v
}

func (s *isa) store(v reg.VecVirtual, m Mem, tail bool) {
	switch {
	case !tail:
		VMOVUPS(v, m)
	case s.wide:
		VMOVUPS(v, reg.K1, m)
	default:
		VMASKMOVPS(v, s.tail, m)
	}
}

// clearBeyond zeroes the lanes that are not in the tail.
func (s *isa) clearBeyond(v reg.VecVirtual, tail bool) {
	switch {
	case !tail:
	case s.wide:
		VMOVAPS_Z(v, reg.K1, v)
	default:
		VANDPS(v, s.tail, v)
	}
}

// loop runs body over n elements: in steps of unroll vectors, then one vector at a time, and
// then once for the rest (tail). body gets the number of its vector in the step: it reads and
// writes that many vectors after its pointers.
func (s *isa) loop(n reg.GPVirtual, unroll int, pointers []reg.GPVirtual, body func(v int, tail bool)) {
	s.steps(n, unroll, pointers, func(vectors int, tail bool) {
		for v := range vectors {
			body(v, tail)
		}
	})
}

// steps is loop for a body that writes all vectors of a step.
func (s *isa) steps(n reg.GPVirtual, unroll int, pointers []reg.GPVirtual, body func(vectors int, tail bool)) {
	labels++
	many, one, rest, done := label("many"), label("one"), label("rest"), label("done")
	round := func(label, end string, vectors int) {
		Label(label)
		CMPQ(n, U32(vectors*s.lanes))
		JLT(LabelRef(end))
		body(vectors, false)
		for _, p := range pointers {
			ADDQ(U32(vectors*s.bytes()), p)
		}
		SUBQ(U32(vectors*s.lanes), n)
		JMP(LabelRef(label))
	}
	if unroll > 1 {
		round(many, one, unroll)
	}
	round(one, rest, 1)
	Label(rest)
	TESTQ(n, n)
	JZ(LabelRef(done))
	s.setTail(n)
	body(1, true)
	Label(done)
}

// label makes a name unique in its function until the next labels++.
func label(name string) string { return fmt.Sprintf("%s%d", name, labels) }

var labels int

// at is vector number v at p.
func (s *isa) at(p reg.GPVirtual, v int) Mem { return Mem{Base: p, Disp: v * s.bytes()} }

// fold combines vs with op into the first of them.
func fold(vs []reg.VecVirtual, op func(ops ...Op)) reg.VecVirtual {
	for n := len(vs); n > 1; n /= 2 {
		for i := range n / 2 {
			op(vs[i+n/2], vs[i], vs[i])
		}
	}
	return vs[0]
}

// across combines the lanes of v with op, and returns the result in lane 0.
func (s *isa) across(v reg.VecVirtual, op func(ops ...Op)) reg.VecVirtual {
	if s.wide { // in whole vectors: without AVX-512VL half ones are not in every register
		h := s.vec()
		for _, half := range []uint64{0x4e, 0xb1} {
			VSHUFF32X4(Imm(half), v, v, h)
			op(h, v, v)
		}
		for _, half := range []uint64{0x4e, 0xb1} {
			VPERMILPS(Imm(half), v, h)
			op(h, v, v)
		}
		return v
	}
	x, h := v.AsX(), XMM()
	VEXTRACTF128(Imm(1), v, h)
	op(h, x, x)
	VPERMILPS(Imm(0x4e), x, h)
	op(h, x, x)
	VPERMILPS(Imm(0xb1), x, h)
	op(h, x, x)
	return v
}

// across4 returns the sums of the lanes of each of four vectors in lanes 0 to 3: in every
// quarter of a vector (0 + 2) + (1 + 3), and the quarters, or halves, in the same manner.
func (s *isa) across4(v []reg.VecVirtual) reg.VecVirtual {
	pair := func(a, b reg.VecVirtual) reg.VecVirtual {
		low := s.vec()
		VUNPCKLPS(b, a, low)
		VUNPCKHPS(b, a, a)
		VADDPS(a, low, low)
		return low
	}
	x, y, h := pair(v[0], v[1]), pair(v[2], v[3]), s.vec()
	VUNPCKLPD(y, x, h)
	VUNPCKHPD(y, x, x)
	VADDPS(h, x, x)
	return s.acrossQuarters(x)
}

// across1 is across4 of one vector, in lane 0.
func (s *isa) across1(v reg.VecVirtual) reg.VecVirtual {
	h := s.vec()
	for _, half := range []uint64{0x4e, 0xb1} {
		VPERMILPS(Imm(half), v, h)
		VADDPS(h, v, v)
	}
	return s.acrossQuarters(v)
}

// acrossQuarters adds the quarters, or halves, of v.
func (s *isa) acrossQuarters(v reg.VecVirtual) reg.VecVirtual {
	if s.wide {
		h := s.vec()
		for _, half := range []uint64{0x4e, 0xb1} {
			VSHUFF32X4(Imm(half), v, v, h)
			VADDPS(h, v, v)
		}
		return v
	}
	h := XMM()
	VEXTRACTF128(Imm(1), v, h)
	VADDPS(h, v.AsX(), v.AsX())
	return v
}

func (s *isa) ret() {
	VZEROUPPER()
	RET()
}
