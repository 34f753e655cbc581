package main

import (
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes a micro-kernel for each size of a tile: all its sums stay in
// registers, a step of k loads a row of B and broadcasts a column of A. It computes
// any number of tiles one below the other: with few steps a call of its own for each
// would take a tenth of the time.
func (s *isa) tiles() {
	for vectors := 1; vectors < len(s.rows); vectors++ {
		for rows := 1; rows <= s.rows[vectors]; rows++ {
			s.tileOf(rows, vectors)
		}
	}
}

func (s *isa) tileOf(rows, vectors int) {
	name := fmt.Sprintf("tile%dx%d", rows, vectors)
	s.function(name, "func(k int, a *float32, aRow, aStep int, b *float32, bStep int, bias, add *float32, ldAdd int, c *float32, ldc, last, aNext, tiles int)",
		fmt.Sprintf("is a micro-kernel for tiles > 0 tiles C[%d,n], n in %d vectors,", rows, vectors),
		"the last with last columns. A nil bias or add is 0; bias is padded to full vectors:",
		"",
		"\tfor range tiles {",
		fmt.Sprintf("\t\tfor i := range %d {", rows),
		"\t\t\tfor j := range n {",
		"\t\t\t\tsum := bias[j]",
		"\t\t\t\tfor s := range k { sum += a[i*aRow+s*aStep] * b[s*bStep+j] }",
		"\t\t\t\tc[i*ldc+j] = add[i*ldAdd+j] + sum",
		"\t\t\t}",
		"\t\t}",
		fmt.Sprintf("\t\ta, add, c = a[aNext:], add[%d*ldAdd:], c[%d*ldc:]", rows, rows),
		"\t}")
	aRow, aStep, bStep := load64("aRow"), load64("aStep"), load64("bStep")
	for _, stride := range []reg.GPVirtual{aRow, aStep, bStep} {
		SHLQ(Imm(2), stride)
	}
	// What changes from a tile to the next is kept in the parameters.
	Label("tile")
	k, b := load64("k"), load64("b")
	a := rowPointers(load64("a"), aRow, rows)
	sums := make([][]reg.VecVirtual, rows)
	for i := range sums {
		for range vectors {
			sums[i] = append(sums[i], s.vec())
		}
	}
	{
		bias := load64("bias")
		TESTQ(bias, bias)
		JZ(LabelRef("nobias"))
		for i := range rows {
			for v := range vectors {
				VMOVUPS(s.at(bias, v), sums[i][v])
			}
		}
		JMP(LabelRef("begin"))
		Label("nobias")
		for i := range rows {
			for v := range vectors {
				s.zero(sums[i][v])
			}
		}
		Label("begin")
	}
	s.prefetchTile("c", "ldc", rows, vectors)
	{
		add := load64("add")
		TESTQ(add, add)
		JZ(LabelRef("noadd"))
		CMPQ(add, address("c"))
		JE(LabelRef("noadd"))
		s.prefetchTile("add", "ldAdd", rows, vectors)
		Label("noadd")
	}
	step := func(bAt, aAt func(int) Mem) {
		row := make([]reg.VecVirtual, vectors)
		for v := range row {
			row[v] = s.load(bAt(v), false)
		}
		for i := range rows {
			x := s.broadcast(aAt(i))
			for v := range row {
				VFMADD231PS(row[v], x, sums[i][v])
			}
		}
	}
	one := func() {
		step(func(v int) Mem { return s.at(b, v) }, func(row int) Mem { return rowAt(a, aRow, row) })
		for _, p := range a {
			ADDQ(aStep, p)
		}
		ADDQ(bStep, b)
	}
	// With the usual strides many steps go by without adding to pointers: when a core is
	// shared with another thread, it is instructions that count.
	run := func(name string, unroll, stride int, at func(step, row int) Mem) {
		n := GP64()
		Label(name)
		MOVQ(k, n)
		SHRQ(Imm(uint64(bits.TrailingZeros(uint(unroll)))), n)
		JZ(LabelRef("pairs"))
		Label(name + "steps")
		for t := range unroll {
			step(func(v int) Mem { return s.at(b, t*vectors+v) }, func(row int) Mem { return at(t, row) })
		}
		for _, p := range a {
			ADDQ(U32(4*unroll*stride), p)
		}
		ADDQ(U32(unroll*vectors*s.bytes()), b)
		DECQ(n)
		JNZ(LabelRef(name + "steps"))
		ANDQ(Imm(uint64(unroll-1)), k)
		JZ(LabelRef("end"))
		JMP(LabelRef("pairs"))
	}
	if vectors > 1 && 2*rows > s.rows[vectors] { // not in what is left at an edge
		CMPQ(bStep, U32(vectors*s.bytes()))
		JNE(LabelRef("pairs"))
		CMPQ(aStep, U32(4))
		JE(LabelRef("inplace"))
		CMPQ(aRow, U32(4))
		JNE(LabelRef("pairs"))
		CMPQ(aStep, U32(4*rows))
		JNE(LabelRef("pairs"))
		run("packed", 4, rows, func(step, row int) Mem { return Mem{Base: a[0], Disp: 4 * (step*rows + row)} })
		run("inplace", 8, 1, func(step, row int) Mem { return rowAt(a, aRow, row).Offset(4 * step) })
	}
	Label("pairs")
	pairs := GP64()
	MOVQ(k, pairs)
	SHRQ(Imm(1), pairs)
	JZ(LabelRef("odd"))
	Label("pair")
	one()
	one()
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	Label("odd")
	ANDQ(Imm(1), k)
	JZ(LabelRef("end"))
	one()
	Label("end")

	c, ldc, last := load64("c"), load64("ldc"), load64("last")
	add, ldAdd := load64("add"), load64("ldAdd")
	SHLQ(Imm(2), ldc)
	SHLQ(Imm(2), ldAdd)
	write := func(adding, masked bool) {
		for i := range rows {
			to, from := nextRow(c, ldc, i), Mem{}
			if adding {
				from = nextRow(add, ldAdd, i)
			}
			for v := range vectors {
				tail := masked && v == vectors-1
				if adding {
					if m := from.Offset(v * s.bytes()); tail {
						VADDPS(s.load(m, true), sums[i][v], sums[i][v])
					} else {
						VADDPS(m, sums[i][v], sums[i][v])
					}
				}
				s.store(sums[i][v], to.Offset(v*s.bytes()), tail)
			}
		}
		JMP(LabelRef("next"))
	}
	if !s.wide { // where a masked store may be slow
		CMPQ(last, U32(s.lanes))
		JNE(LabelRef("partial"))
		TESTQ(add, add)
		JZ(LabelRef("set"))
		write(true, false)
		Label("set")
		write(false, false)
		Label("partial")
	}
	s.setTail(last)
	TESTQ(add, add)
	JZ(LabelRef("partialset"))
	write(true, true)
	Label("partialset")
	write(false, true)

	Label("next")
	DECQ(address("tiles"))
	JZ(LabelRef("done"))
	forward := func(pointer, stride string, times int) {
		by := load64(stride)
		IMUL3Q(U32(4*times), by, by)
		ADDQ(by, address(pointer))
	}
	forward("a", "aNext", 1)
	forward("c", "ldc", rows)
	CMPQ(address("add"), Imm(0))
	JE(LabelRef("tile"))
	forward("add", "ldAdd", rows)
	JMP(LabelRef("tile"))
	Label("done")
	s.ret()
}

// prefetchTile asks for the cache lines of a tile that is read or written at the end.
func (s *isa) prefetchTile(pointer, stride string, rows, vectors int) {
	p, ld := load64(pointer), load64(stride)
	SHLQ(Imm(2), ld)
	for i := range rows {
		row := nextRow(p, ld, i)
		for v := 0; v < vectors; v += max(1, 64/s.bytes()) { // a vector in each line
			PREFETCHT0(row.Offset(v * s.bytes()))
		}
	}
}

// nextRow is row i of those that p goes through, ld bytes apart: it moves on at every
// third, which takes fewer instructions than at each.
func nextRow(p, ld reg.GPVirtual, i int) Mem {
	if i > 0 && i%3 == 0 {
		LEAQ(Mem{Base: p, Index: ld, Scale: 2}, p)
		ADDQ(ld, p)
	}
	return rowAt([]reg.GPVirtual{p}, ld, i%3)
}

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

func (s *isa) dot() {
	s.function("dot", "func(x, y []float32) float32",
		"returns",
		"",
		"\tfor i := range x { sum += x[i] * y[i] }")
	x, y, n := base("x"), base("y"), length("x")
	sums := s.zeros(4)
	s.loop(n, 4, []reg.GPVirtual{x, y}, func(v int, tail bool) {
		VFMADD231PS(s.load(s.at(x, v), tail), s.load(s.at(y, v), tail), sums[v])
	})
	sum := s.across(fold(sums, VADDPS), VADDPS)
	Store(sum.AsX(), ReturnIndex(0))
	s.ret()
}

// dot8 reads eight rows at once: as many streams as memory likes.
func (s *isa) dot8() {
	s.function("dot8", "func(sum *float32, x []float32, y *float32, ldy int)",
		"computes",
		"",
		"\tfor r := range 8 { sum[r] = dot(x, y[r*ldy:]) }")
	sum, x, n, ldy := load64("sum"), base("x"), length("x"), load64("ldy")
	SHLQ(Imm(2), ldy)
	y := rowPointers(load64("y"), ldy, 8)
	sums := s.zeros(8)
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
	for r := range sums {
		VMOVSS(s.across(sums[r], VADDPS).AsX(), Mem{Base: sum, Disp: 4 * r})
	}
	s.ret()
}

// rowPointers returns a pointer for every third of rows that are stride bytes
// apart: rowAt reaches the two that follow by index.
func rowPointers(first, stride reg.GPVirtual, rows int) []reg.GPVirtual {
	ps := []reg.GPVirtual{first}
	for 3*len(ps) < rows {
		p := GP64()
		LEAQ(Mem{Base: ps[len(ps)-1], Index: stride, Scale: 2}, p)
		ADDQ(stride, p)
		ps = append(ps, p)
	}
	return ps
}

func rowAt(pointers []reg.GPVirtual, stride reg.GPVirtual, row int) Mem {
	m := Mem{Base: pointers[row/3]}
	if row%3 > 0 {
		m.Index, m.Scale = stride, uint8(row%3)
	}
	return m
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

// columnSums takes eight rows at a time, each with a sum of its own.
func (s *isa) columnSums() {
	s.function("columnSums", "func(sum []float32, x *float32, ldx, rows int)",
		"adds the sums of columns:",
		"",
		"\tfor r := range rows {",
		"\t\tfor j := range sum { sum[j] += x[r*ldx+j] }",
		"\t}")
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
		c, ldc, far := load64("c"), load64("ldc"), load64("far")
		SHLQ(Imm(2), far)
		for r := range sums {
			row := GP64()
			MOVQ(c, row)
			p := rowPointers(row, far, thinStreams)
			for i := range thinStreams {
				m, sum := rowAt(p, far, i), s.across(sums[r][i], VADDPS).AsX()
				VADDSS(m, sum, sum)
				VMOVSS(sum, m)
			}
			LEAQ(Mem{Base: c, Index: ldc, Scale: 4}, c)
		}
		ADDQ(Imm(4), address("c"))
	})
}
