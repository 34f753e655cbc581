package main

import (
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes a micro-kernel for each size of a tile. All its sums stay in registers; one step
// of k loads a row of B and broadcasts a column of A. A call computes any number of tiles one
// below the other, for any number of panels of B: with few steps, calling for each tile would
// take a tenth of the time, and for each panel a fortieth.
func (s *isa) tiles() {
	for vectors := 1; vectors < len(s.rows); vectors++ {
		for rows := 1; rows <= s.rows[vectors]; rows++ {
			s.tileOf(rows, vectors)
		}
	}
}

func (s *isa) tileOf(rows, vectors int) {
	name := fmt.Sprintf("tile%dx%d", rows, vectors)
	s.function(name, "func(k int, a *float32, aRow, aStep int, b *float32, bStep, bNext int, bias, add *float32, ldAdd int, c *float32, ldc, last, aNext, tiles, panels int)",
		fmt.Sprintf("is a micro-kernel for panels > 0 times tiles > 0 tiles C[%d,n], n in %d", rows, vectors),
		"vectors, the last with last columns. A nil bias or add is 0; bias is padded to full vectors:",
		"",
		"\tfor p := range panels {",
		"\t\tfor t := range tiles {",
		fmt.Sprintf("\t\t\tfor i := range %d {", rows),
		"\t\t\t\tfor j := range n {",
		"\t\t\t\t\tsum := bias[p*n+j]",
		"\t\t\t\t\tfor s := range k { sum += a[t*aNext+i*aRow+s*aStep] * b[p*bNext+s*bStep+j] }",
		fmt.Sprintf("\t\t\t\t\tc[(t*%d+i)*ldc+p*n+j] = add[(t*%d+i)*ldAdd+p*n+j] + sum", rows, rows),
		"\t\t\t\t}",
		"\t\t\t}",
		"\t\t}",
		"\t}")
	aRow, aStep, bStep := load64("aRow"), load64("aStep"), load64("bStep")
	for _, stride := range []reg.GPVirtual{aRow, aStep, bStep} {
		SHLQ(Imm(2), stride)
	}
	// What changes from tile to tile is kept in the parameters; where a panel's first tile is,
	// here.
	var top [4]Mem
	for i := range top {
		top[i] = AllocLocal(8)
	}
	moving := [len(top)]string{"a", "add", "c", "tiles"}
	Label("panel")
	for i, param := range moving {
		MOVQ(load64(param), top[i])
	}
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
	// With the usual strides, many steps go by without adding to pointers. That helps when a core
	// is shared with another thread: then the number of instructions counts.
	run := func(name string, stride int, at func(step, row int) Mem) {
		const unroll = 8
		n := GP64()
		Label(name)
		MOVQ(k, n)
		SHRQ(Imm(uint64(bits.TrailingZeros(unroll))), n)
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
		ANDQ(Imm(unroll-1), k)
		JZ(LabelRef("end"))
		JMP(LabelRef("pairs"))
	}
	if vectors > 1 && 2*rows > s.rows[vectors] { // but not for the small tiles at an edge
		CMPQ(bStep, U32(vectors*s.bytes()))
		JNE(LabelRef("pairs"))
		CMPQ(aStep, U32(4))
		JE(LabelRef("inplace"))
		CMPQ(aRow, U32(4))
		JNE(LabelRef("pairs"))
		CMPQ(aStep, U32(4*rows))
		JNE(LabelRef("pairs"))
		run("packed", rows, func(step, row int) Mem { return Mem{Base: a[0], Disp: 4 * (step*rows + row)} })
		run("inplace", 1, func(step, row int) Mem { return rowAt(a, aRow, row).Offset(4 * step) })
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
	JZ(LabelRef("nextpanel"))
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

	Label("nextpanel")
	DECQ(address("panels"))
	JZ(LabelRef("done"))
	forward("b", "bNext", 1)
	width := Imm(uint64(vectors * s.bytes()))
	for i, param := range moving {
		first := GP64()
		MOVQ(top[i], first)
		MOVQ(first, address(param))
	}
	ADDQ(width, address("c"))
	for _, param := range []string{"add", "bias"} {
		CMPQ(address(param), Imm(0))
		JE(LabelRef("no" + param + "s"))
		ADDQ(width, address(param))
		Label("no" + param + "s")
	}
	JMP(LabelRef("panel"))
	Label("done")
	s.ret()
}

// prefetchTile prefetches the cache lines of a tile that is read or written at the end.
func (s *isa) prefetchTile(pointer, stride string, rows, vectors int) {
	p, ld := load64(pointer), load64(stride)
	SHLQ(Imm(2), ld)
	for i := range rows {
		row := nextRow(p, ld, i)
		for v := 0; v < vectors; v += max(1, 64/s.bytes()) { // one vector in each line
			PREFETCHT0(row.Offset(v * s.bytes()))
		}
	}
}

// nextRow returns where row i is, of rows ld bytes apart that p goes through. It moves p on at
// every third row, which takes fewer instructions than at each row.
func nextRow(p, ld reg.GPVirtual, i int) Mem {
	if i > 0 && i%3 == 0 {
		LEAQ(Mem{Base: p, Index: ld, Scale: 2}, p)
		ADDQ(ld, p)
	}
	return rowAt([]reg.GPVirtual{p}, ld, i%3)
}

// rowPointers returns pointers to every third of the rows that are stride bytes apart; rowAt
// reaches the two rows after each by index.
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
