package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sigmoidRows is for rows of any length; a row's last vector is a tail.
func (s *isa) sigmoidRows() {
	s.function("sigmoidRows", "func(x *float32, weights []float32, n int)", `computes for len(weights) > 0

	for i, w := range weights {
		for j := range n { x[i*n+j] = w * sigmoid(x[i*n+j]) }
	}`)
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

// gloveStep is for rows of whole vectors of the widest level. It asks for the rows of a
// later cell, which are far away.
func (s *isa) gloveStep() {
	s.function("gloveStep", "func(w, x, rates *float32, n int, f, log float32, nextW, nextX *float32) float32", `computes for n > 0, a multiple of 16,

	diff := dot(w[:n], x) - log
	for i := range n {
		sw, sx := rates[i]*f*diff*x[i], rates[i]*f*diff*w[i]
		w[i] -= sw / sqrt(w[n+i])
		x[i] -= sx / sqrt(x[n+i])
		w[n+i] += sw * sw
		x[n+i] += sx * sx
	}

and returns diff.`)
	w, x, rates, n := load64("w"), load64("x"), load64("rates"), load64("n")
	SHLQ(Imm(2), n) // in bytes
	squares := func(row reg.GPVirtual) reg.GPVirtual {
		p := GP64()
		LEAQ(Mem{Base: row, Index: n, Scale: 1}, p)
		return p
	}
	i := GP64()
	at := func(p reg.GPVirtual, v int) Mem { return Mem{Base: p, Index: i, Scale: 1, Disp: v * s.bytes()} }
	// loop runs body over the vectors of 16 floats.
	loop := func(name string, body func(v int)) {
		XORQ(i, i)
		Label(name)
		for v := range 16 / s.lanes {
			body(v)
		}
		ADDQ(Imm(64), i)
		CMPQ(i, n)
		JLT(LabelRef(name))
	}
	nextW, nextX := load64("nextW"), load64("nextX")
	next := []reg.GPVirtual{nextW, nextX, squares(nextW), squares(nextX)}
	sums := s.zeros(16 / s.lanes)
	loop("dot", func(v int) {
		a := s.vec()
		VMOVUPS(at(w, v), a)
		VFMADD231PS(at(x, v), a, sums[v])
		if v == 0 {
			for _, p := range next {
				PREFETCHT0(at(p, 0))
			}
		}
	})
	diff := s.across(fold(sums, VADDPS), VADDPS).AsX()
	VSUBSS(address("log"), diff, diff)
	Store(diff, ReturnIndex(0))
	VMULSS(address("f"), diff, diff)
	g := s.vec()
	VBROADCASTSS(diff, g)
	gw, gx := squares(w), squares(x)
	loop("step", func(v int) {
		rate, a, b := s.vec(), s.vec(), s.vec()
		VMULPS(at(rates, v), g, rate)
		VMOVUPS(at(w, v), a)
		VMOVUPS(at(x, v), b)
		sw, sx := s.vec(), s.vec()
		VMULPS(rate, b, sw)
		VMULPS(rate, a, sx)
		for _, half := range []struct {
			p, squares reg.GPVirtual
			x, step    reg.VecVirtual
		}{{w, gw, a, sw}, {x, gx, b, sx}} {
			sum, root := s.vec(), s.vec()
			VMOVUPS(at(half.squares, v), sum)
			VSQRTPS(sum, root)
			VDIVPS(root, half.step, root)
			VSUBPS(root, half.x, half.x)
			VMOVUPS(half.x, at(half.p, v))
			VFMADD231PS(half.step, half.step, sum)
			VMOVUPS(sum, at(half.squares, v))
		}
	})
	s.ret()
}

// rowsAhead is how many rows earlier gatherRows asks for a row: they are far away, and each
// takes several cache lines.
const rowsAhead = 6

// gatherRows is for rows of whole vectors of the widest level.
func (s *isa) gatherRows() {
	s.function("gatherRows", "func(to, table *float32, rows []int32, stride int)", `computes for len(rows) > 0, stride > 0, a multiple of 16,

	for i, r := range rows { copy(to[i*stride:][:stride], table[r*stride:]) }`)
	to, table, rows, n, stride := load64("to"), load64("table"), base("rows"), length("rows"), load64("stride")
	SHLQ(Imm(2), stride)
	place := func(i Mem) reg.GPVirtual {
		p := GP64()
		MOVLQSX(i, p)
		IMULQ(stride, p)
		ADDQ(table, p)
		return p
	}
	Label("row")
	CMPQ(n, Imm(rowsAhead))
	JLE(LabelRef("near"))
	next, left := place(Mem{Base: rows, Disp: 4 * rowsAhead}), GP64()
	MOVQ(stride, left)
	Label("ahead")
	PREFETCHT0(Mem{Base: next})
	ADDQ(Imm(64), next)
	SUBQ(Imm(64), left)
	JG(LabelRef("ahead"))
	Label("near")
	from, i := place(Mem{Base: rows}), GP64()
	XORQ(i, i)
	Label("copy")
	for v := range 16 / s.lanes {
		x := s.vec()
		VMOVUPS(Mem{Base: from, Index: i, Scale: 1, Disp: v * s.bytes()}, x)
		VMOVUPS(x, Mem{Base: to, Index: i, Scale: 1, Disp: v * s.bytes()})
	}
	ADDQ(Imm(64), i)
	CMPQ(i, stride)
	JLT(LabelRef("copy"))
	ADDQ(stride, to)
	ADDQ(Imm(4), rows)
	DECQ(n)
	JNZ(LabelRef("row"))
	s.ret()
}

// addSteps is for rows of whole vectors of the widest level. It asks for a row that comes
// later, which is far away.
func (s *isa) addSteps() {
	s.function("addSteps", "func(row, steps *float32, list []int32, stride int, later *float32)", `computes for len(list) > 0, stride > 0, a multiple of 16,

	for _, e := range list {
		for j := range stride { row[j] += steps[e*stride+j] }
	}`)
	row, steps, list, n, stride := load64("row"), load64("steps"), base("list"), length("list"), load64("stride")
	later, left := load64("later"), GP64()
	MOVQ(stride, left)
	Label("ahead")
	PREFETCHT0(Mem{Base: later})
	ADDQ(Imm(64), later)
	SUBQ(Imm(16), left)
	JG(LabelRef("ahead"))
	SHLQ(Imm(2), stride)
	Label("step")
	from, i := GP64(), GP64()
	MOVLQSX(Mem{Base: list}, from)
	IMULQ(stride, from)
	ADDQ(steps, from)
	XORQ(i, i)
	Label("add")
	for v := range 16 / s.lanes {
		x := s.vec()
		VMOVUPS(Mem{Base: row, Index: i, Scale: 1, Disp: v * s.bytes()}, x)
		VADDPS(Mem{Base: from, Index: i, Scale: 1, Disp: v * s.bytes()}, x, x)
		VMOVUPS(x, Mem{Base: row, Index: i, Scale: 1, Disp: v * s.bytes()})
	}
	ADDQ(Imm(64), i)
	CMPQ(i, stride)
	JLT(LabelRef("add"))
	ADDQ(Imm(4), list)
	DECQ(n)
	JNZ(LabelRef("step"))
	s.ret()
}

// windowUnits is how many times 16 columns registers hold.
func (s *isa) windowUnits() int {
	if s.wide {
		return 8
	}
	return 7
}

// windows writes loops over windows, one for each number of columns that registers hold. list
// names the matrix that has a row for each window, rows the one whose rows are in windows.
// start is written ahead of each loop. For a window, before is written first, then each for
// its rows in turn, then after; v are registers, at is row c of the list, p the row of the
// window.
func (s *isa) windows(list, rows string, start func(), before func(v []reg.VecVirtual, at, c reg.GPVirtual), each func(v []reg.VecVirtual, p reg.GPVirtual), after func(v []reg.VecVirtual, at, c reg.GPVirtual)) {
	first, all, stride, left := load64(list), load64(rows), load64("stride"), GP64()
	MOVQ(stride, left) // columns
	SHLQ(Imm(2), stride)
	Label("columns")
	for units := s.windowUnits(); units > 0; units-- {
		labels++
		fewer, window, row, done := label("fewer"), label("window"), label("row"), label("done")
		if units > 1 {
			CMPQ(left, Imm(uint64(16*units)))
			JLT(LabelRef(fewer))
		}
		v := make([]reg.VecVirtual, units*16/s.lanes)
		for i := range v {
			v[i] = s.vec()
		}
		start()
		c, at, middle := GP64(), GP64(), load64("first")
		XORQ(c, c)
		IMULQ(stride, middle)
		ADDQ(all, middle)
		MOVQ(first, at)
		Label(window)
		before(v, at, c)
		p, size, next := GP64(), GP64(), GP64()
		MOVLQSX(Mem{Base: base("from"), Index: c, Scale: 4}, p)
		MOVLQSX(Mem{Base: base("to"), Index: c, Scale: 4}, size)
		SUBQ(p, size)
		DECQ(size)
		JZ(LabelRef(done))
		IMULQ(stride, p)
		ADDQ(all, p)
		step := func() {
			LEAQ(Mem{Base: p, Index: stride, Scale: 1}, next)
			CMPQ(p, middle)
			CMOVQEQ(next, p)
		}
		step()
		Label(row)
		each(v, p)
		ADDQ(stride, p)
		step()
		DECQ(size)
		JNZ(LabelRef(row))
		Label(done)
		after(v, at, c)
		ADDQ(stride, at)
		ADDQ(stride, middle)
		INCQ(c)
		CMPQ(c, length("from"))
		JLT(LabelRef(window))
		ADDQ(U32(64*units), first)
		ADDQ(U32(64*units), all)
		SUBQ(U32(16*units), left)
		JNZ(LabelRef("columns"))
		s.ret()
		Label(fewer)
	}
}

// sumWindows is for rows of whole vectors of the widest level.
func (s *isa) sumWindows() {
	s.function("sumWindows", "func(sums, rows *float32, from, to []int32, first int, shares *float32, stride int)", `computes for len(from) > 0, from[c] ≤ first+c < to[c], stride > 0, a multiple of 16,

	for c := range from {
		sums[c] = shares[c] * (the sum of rows from[c] to to[c] without row first+c)
	}`)
	zero := s.zeros(1)[0]
	s.windows("sums", "rows", func() {}, func(v []reg.VecVirtual, _, _ reg.GPVirtual) {
		for _, x := range v {
			VMOVAPS(zero, x)
		}
	}, func(v []reg.VecVirtual, p reg.GPVirtual) {
		for i, x := range v {
			VADDPS(s.at(p, i), x, x)
		}
	}, func(v []reg.VecVirtual, at, c reg.GPVirtual) {
		w := s.broadcast(Mem{Base: load64("shares"), Index: c, Scale: 4})
		for i, x := range v {
			VMULPS(w, x, x)
			VMOVUPS(x, s.at(at, i))
		}
	})
}

// addWindows is for rows of whole vectors of the widest level.
func (s *isa) addWindows() {
	s.function("addWindows", "func(x, rows *float32, from, to []int32, first int, shares *float32, stride int)", `adds for len(from) > 0, from[c] ≤ first+c < to[c], stride > 0, a multiple of 16,

	for c := range from {
		shares[c] * x[c] to rows from[c] to to[c] without row first+c
	}`)
	s.windows("x", "rows", func() {}, func(v []reg.VecVirtual, at, c reg.GPVirtual) {
		w := s.broadcast(Mem{Base: load64("shares"), Index: c, Scale: 4})
		for i, x := range v {
			VMULPS(s.at(at, i), w, x)
		}
	}, func(v []reg.VecVirtual, p reg.GPVirtual) {
		for i, x := range v {
			sum := s.vec()
			VADDPS(s.at(p, i), x, sum)
			VMOVUPS(sum, s.at(p, i))
		}
	}, func([]reg.VecVirtual, reg.GPVirtual, reg.GPVirtual) {})
}

// pairs is windows with a number for each row of each window, in their order: each gets the
// place of its own.
func (s *isa) pairs(list, rows, numbers string, before func(v []reg.VecVirtual, at reg.GPVirtual), each func(v []reg.VecVirtual, p reg.GPVirtual, number Mem), after func(v []reg.VecVirtual, at reg.GPVirtual)) {
	number := GP64()
	s.windows(list, rows, func() {
		MOVQ(load64(numbers), number)
	}, func(v []reg.VecVirtual, at, _ reg.GPVirtual) { before(v, at) }, func(v []reg.VecVirtual, p reg.GPVirtual) {
		each(v, p, Mem{Base: number})
		ADDQ(Imm(4), number)
	}, func(v []reg.VecVirtual, at, _ reg.GPVirtual) { after(v, at) })
}

// loadRow fills registers with a row.
func (s *isa) loadRow(v []reg.VecVirtual, at reg.GPVirtual) {
	for i, x := range v {
		VMOVUPS(s.at(at, i), x)
	}
}

// dotWindows is for rows of whole vectors of the widest level.
func (s *isa) dotWindows() {
	s.function("dotWindows", "func(x, rows *float32, from, to []int32, first int, dots *float32, stride int)", `adds for len(from) > 0, from[c] ≤ first+c < to[c], stride > 0, a multiple of 16,

	for c := range from {
		dot(x[c], row) to the next of dots, for rows from[c] to to[c] without row first+c
	}`)
	s.pairs("x", "rows", "dots", s.loadRow, func(v []reg.VecVirtual, p reg.GPVirtual, dot Mem) {
		sums := []reg.VecVirtual{s.vec()}
		if s.wide {
			sums = append(sums, s.vec())
		}
		for i, x := range v {
			if sum := sums[i%len(sums)]; i < len(sums) {
				VMULPS(s.at(p, i), x, sum)
			} else {
				VFMADD231PS(s.at(p, i), x, sum)
			}
		}
		sum := fold(sums[:min(len(sums), len(v))], VADDPS)
		one := s.across(sum, VADDPS).AsX()
		VADDSS(dot, one, one)
		VMOVSS(one, dot)
	}, func([]reg.VecVirtual, reg.GPVirtual) {})
}

// mixWindows is for rows of whole vectors of the widest level.
func (s *isa) mixWindows() {
	s.function("mixWindows", "func(sums, rows *float32, from, to []int32, first int, weights *float32, stride int)", `computes for len(from) > 0, from[c] ≤ first+c < to[c], stride > 0, a multiple of 16,

	for c := range from {
		sums[c] = the sum of the next of weights times the row, for rows from[c] to to[c] without row first+c
	}`)
	zero := s.zeros(1)[0]
	s.pairs("sums", "rows", "weights", func(v []reg.VecVirtual, _ reg.GPVirtual) {
		for _, x := range v {
			VMOVAPS(zero, x)
		}
	}, func(v []reg.VecVirtual, p reg.GPVirtual, weight Mem) {
		w := s.broadcast(weight)
		for i, x := range v {
			VFMADD231PS(s.at(p, i), w, x)
		}
	}, func(v []reg.VecVirtual, at reg.GPVirtual) {
		for i, x := range v {
			VMOVUPS(x, s.at(at, i))
		}
	})
}

// stepWindows is for rows of whole vectors of the widest level.
func (s *isa) stepWindows() {
	s.function("stepWindows", "func(x, rows *float32, from, to []int32, first int, weights *float32, stride int)", `adds for len(from) > 0, from[c] ≤ first+c < to[c], stride > 0, a multiple of 16,

	for c := range from {
		the next of weights times x[c] to the row, for rows from[c] to to[c] without row first+c
	}`)
	s.pairs("x", "rows", "weights", s.loadRow, func(v []reg.VecVirtual, p reg.GPVirtual, weight Mem) {
		w := s.broadcast(weight)
		for i, x := range v {
			sum := s.vec()
			VMOVUPS(s.at(p, i), sum)
			VFMADD231PS(x, w, sum)
			VMOVUPS(sum, s.at(p, i))
		}
	}, func([]reg.VecVirtual, reg.GPVirtual) {})
}

// dotPairs is for rows of whole vectors of the widest level.
func (s *isa) dotPairs() {
	s.function("dotPairs", "func(dots []float32, x, y *float32, stride int)", `computes for len(dots) > 0, stride > 0, a multiple of 16,

	for r := range dots { dots[r] = dot(x[r*stride:][:stride], y[r*stride:]) }`)
	dots, rows, x, y := base("dots"), length("dots"), load64("x"), load64("y")
	Label("row")
	sums := s.zeros(16 / s.lanes)
	s.columns("column", []reg.GPVirtual{x, y}, func(v int) {
		a := s.vec()
		VMOVUPS(s.at(x, v), a)
		VFMADD231PS(s.at(y, v), a, sums[v])
	})
	VMOVSS(s.across(fold(sums, VADDPS), VADDPS).AsX(), Mem{Base: dots})
	ADDQ(Imm(4), dots)
	DECQ(rows)
	JNZ(LabelRef("row"))
	s.ret()
}

// stepPairs is for rows of whole vectors of the widest level.
func (s *isa) stepPairs() {
	s.function("stepPairs", "func(dx, dy, x, y *float32, g []float32, stride int)", `computes for len(g) > 0, stride > 0, a multiple of 16,

	for r := range g {
		for j := range stride {
			dx[r*stride+j] += g[r] * y[r*stride+j]
			dy[r*stride+j] = g[r] * x[r*stride+j]
		}
	}`)
	dx, dy, x, y, g, rows := load64("dx"), load64("dy"), load64("x"), load64("y"), base("g"), length("g")
	Label("row")
	w := s.broadcast(Mem{Base: g})
	s.columns("column", []reg.GPVirtual{dx, dy, x, y}, func(v int) {
		a, b := s.vec(), s.vec()
		VMOVUPS(s.at(dx, v), a)
		VFMADD231PS(s.at(y, v), w, a)
		VMOVUPS(a, s.at(dx, v))
		VMULPS(s.at(x, v), w, b)
		VMOVUPS(b, s.at(dy, v))
	})
	ADDQ(Imm(4), g)
	DECQ(rows)
	JNZ(LabelRef("row"))
	s.ret()
}

// columns runs body over the vectors of a row, 16 floats at a time, and moves the pointers to
// the row's end.
func (s *isa) columns(name string, pointers []reg.GPVirtual, body func(v int)) {
	left := load64("stride")
	Label(name)
	for v := range 16 / s.lanes {
		body(v)
	}
	for _, p := range pointers {
		ADDQ(Imm(64), p)
	}
	SUBQ(Imm(16), left)
	JG(LabelRef(name))
}
