package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normalize and normalizeGrad take four rows at a time. With a single row, most of the time would
// be spent waiting for sums, a root and quotients. A quartet holds one number for each of the
// four rows, in every 128 bits of a vector. Rows that are left over are taken one by one, as
// if they were four equal rows.

func (s *isa) normalize() {
	s.function("normalize", "func(y, x *float32, gain, bias []float32, mean, rstd *float32, rows int, eps float32)", `computes for rows > 0 of len(gain) floats

	mean, rstd = average(x), 1/sqrt(average((x-mean)²)+eps)
	for i, v := range x { y[i] = (v-mean)*rstd*gain[i] + bias[i] }`)
	y, x, n := load64("y"), load64("x"), length("gain")
	s.fours(n, func(count reg.GPVirtual, row func(p reg.GPVirtual, r, v int) Mem) {
		m, p := restart(n, x)
		sums := s.zeros(4)
		s.loop(m, 2, p, func(v int, tail bool) {
			for r, sum := range sums {
				if at := row(p[0], r, v); tail {
					VADDPS(s.load(at, true), sum, sum)
				} else {
					VADDPS(at, sum, sum)
				}
			}
		})
		mean := s.averages(sums, n)
		s.storeQuartet(mean, "mean", count)

		m, q := restart(n, x)
		means, squares := s.eachOf(mean), s.zeros(4)
		s.loop(m, 2, q, func(v int, tail bool) {
			for r, sum := range squares {
				d := s.load(row(q[0], r, v), tail)
				VSUBPS(means[r], d, d)
				s.clearBeyond(d, tail)
				VFMADD231PS(d, d, sum)
			}
		})
		variance, rstd := s.averages(squares, n), s.load(s.constant(1), false)
		VADDPS(s.param("eps"), variance, variance)
		VSQRTPS(variance, variance)
		VDIVPS(variance, rstd, rstd)
		s.storeQuartet(rstd, "rstd", count)

		s.eachRow(count, []reg.VecVirtual{mean, rstd}, func(of []reg.VecVirtual) {
			mean, rstd := of[0], of[1]
			m, p := restart(n, y, x, base("gain"), base("bias"))
			s.loop(m, 2, p, func(v int, tail bool) {
				d := s.load(s.at(p[1], v), tail)
				VSUBPS(mean, d, d)
				VMULPS(rstd, d, d)
				VFMADD213PS(s.load(s.at(p[3], v), tail), s.load(s.at(p[2], v), tail), d)
				s.store(d, s.at(p[0], v), tail)
			})
			LEAQ(Mem{Base: y, Index: n, Scale: 4}, y)
			LEAQ(Mem{Base: x, Index: n, Scale: 4}, x)
		})
	})
}

func (s *isa) normalizeGrad() {
	s.function("normalizeGrad", "func(dx, dy, x *float32, gain []float32, mean, rstd *float32, rows int, accumulate bool)", `computes for rows > 0 of len(gain) floats

	g, z := dy*gain, x-mean
	sum, dot := average(g), average(g*z)*rstd*rstd
	for i := range x { dx[i] = or += rstd * (g[i] - sum - z[i]*dot) }`)
	dx, dy, x, n := load64("dx"), load64("dy"), load64("x"), length("gain")
	s.fours(n, func(count reg.GPVirtual, row func(p reg.GPVirtual, r, v int) Mem) {
		means := s.eachOf(s.loadQuartet("mean", count))
		m, p := restart(n, dy, x, base("gain"))
		sums, dots := s.zeros(4), s.zeros(4)
		s.loop(m, 1, p, func(v int, tail bool) {
			gain := s.load(s.at(p[2], v), tail)
			for r, mean := range means {
				g := s.load(row(p[0], r, v), tail)
				VMULPS(gain, g, g)
				VADDPS(g, sums[r], sums[r])
				z := s.load(row(p[1], r, v), tail)
				VSUBPS(mean, z, z)
				VFMADD231PS(z, g, dots[r])
			}
		})
		sum, dot := s.averages(sums, n), s.averages(dots, n)
		mean, rstd := s.loadQuartet("mean", count), s.loadQuartet("rstd", count)
		VMULPS(rstd, dot, dot)
		VMULPS(rstd, dot, dot)
		for _, param := range []string{"mean", "rstd"} {
			advance(param, count)
		}

		s.eachRow(count, []reg.VecVirtual{sum, dot, mean, rstd}, func(of []reg.VecVirtual) {
			sum, dot, mean, rstd := of[0], of[1], of[2], of[3]
			pass := func(accumulate bool) {
				m, p := restart(n, dy, x, base("gain"), dx)
				s.loop(m, 2, p, func(v int, tail bool) {
					g := s.load(s.at(p[0], v), tail)
					VMULPS(s.load(s.at(p[2], v), tail), g, g)
					VSUBPS(sum, g, g)
					z := s.load(s.at(p[1], v), tail)
					VSUBPS(mean, z, z)
					VFNMADD231PS(dot, z, g)
					if accumulate {
						VFMADD213PS(s.load(s.at(p[3], v), tail), rstd, g)
					} else {
						VMULPS(rstd, g, g)
					}
					s.store(g, s.at(p[3], v), tail)
				})
			}
			add := GP32()
			Load(Param("accumulate"), add.As8())
			TESTB(add.As8(), add.As8())
			JNZ(LabelRef("accumulate"))
			pass(false)
			JMP(LabelRef("next"))
			Label("accumulate")
			pass(true)
			Label("next")
			for _, p := range []reg.GPVirtual{dx, dy, x} {
				LEAQ(Mem{Base: p, Index: n, Scale: 4}, p)
			}
		})
	})
}

// fours runs group for four rows at a time, and then for single rows, until all rows of n floats
// are done. group gets the number of rows, four or one, and where vector v of row r is, for the
// rows that begin at p: of a single row, all four are that one.
func (s *isa) fours(n reg.GPVirtual, group func(count reg.GPVirtual, row func(p reg.GPVirtual, r, v int) Mem)) {
	Label("rows")
	count, ld, ld3 := GP64(), GP64(), GP64()
	MOVQ(U32(1), count)
	XORQ(ld, ld)
	CMPQ(address("rows"), Imm(4))
	JLT(LabelRef("single"))
	MOVQ(U32(4), count)
	MOVQ(n, ld)
	SHLQ(Imm(2), ld)
	Label("single")
	LEAQ(Mem{Base: ld, Index: ld, Scale: 2}, ld3)
	group(count, func(p reg.GPVirtual, r, v int) Mem {
		m := rowAt([]reg.GPVirtual{p}, ld, r%3)
		if r == 3 {
			m = Mem{Base: p, Index: ld3, Scale: 1}
		}
		return m.Offset(v * s.bytes())
	})
	SUBQ(count, address("rows"))
	JNZ(LabelRef("rows"))
	s.ret()
}

// averages returns the quartet of the sums of the lanes of four vectors, divided by n.
func (s *isa) averages(of []reg.VecVirtual, n reg.GPVirtual) reg.VecVirtual {
	low := s.vec()
	for _, pair := range [][]reg.VecVirtual{of[:2], of[2:]} {
		a, b := pair[0], pair[1]
		VUNPCKLPS(b, a, low)
		VUNPCKHPS(b, a, a)
		VADDPS(low, a, a)
	}
	q := of[0]
	VUNPCKLPD(of[2], q, low)
	VUNPCKHPD(of[2], q, q)
	VADDPS(low, q, q)
	if s.wide {
		for _, half := range []uint64{0x4e, 0xb1} {
			VSHUFF32X4(Imm(half), q, q, low)
			VADDPS(low, q, q)
		}
	} else {
		VPERM2F128(Imm(1), q, q, low)
		VADDPS(low, q, q)
	}
	count := XMM()
	VXORPS(count, count, count)
	VCVTSI2SSQ(n, count, count)
	VDIVPS(s.broadcast(count), q, q)
	return q
}

// eachOf returns four vectors, each with one number of a quartet in all lanes.
func (s *isa) eachOf(quartet reg.VecVirtual) []reg.VecVirtual {
	vs := make([]reg.VecVirtual, 4)
	for r := range vs {
		vs[r] = s.vec()
		VPERMILPS(Imm(uint64(0x55*r)), quartet, vs[r])
	}
	return vs
}

// eachRow runs body for each of count rows, with the row's number of each quartet in all lanes.
func (s *isa) eachRow(count reg.GPVirtual, quartets []reg.VecVirtual, body func(of []reg.VecVirtual)) {
	left := GP64()
	MOVQ(count, left)
	Label("row")
	of := make([]reg.VecVirtual, len(quartets))
	for i, q := range quartets {
		of[i] = s.vec()
		VPERMILPS(Imm(0), q, of[i])
		VPERMILPS(Imm(0x39), q, q) // the next row's number becomes the first
	}
	body(of)
	DECQ(left)
	JNZ(LabelRef("row"))
}

// storeQuartet stores the numbers of count rows, four or one, where a parameter points to, and
// moves that pointer on.
func (s *isa) storeQuartet(q reg.VecVirtual, param string, count reg.GPVirtual) {
	to := Mem{Base: load64(param)}
	oneOrFour(count, func() { VMOVSS(q.AsX(), to) }, func() {
		if s.wide {
			VEXTRACTF32X4(Imm(0), q, to)
		} else {
			VMOVUPS(q.AsX(), to)
		}
	})
	advance(param, count)
}

// loadQuartet loads the numbers of count rows, four or one, from where a parameter points to.
func (s *isa) loadQuartet(param string, count reg.GPVirtual) reg.VecVirtual {
	q, from := s.vec(), Mem{Base: load64(param)}
	oneOrFour(count, func() { VBROADCASTSS(from, q) }, func() {
		if s.wide {
			VBROADCASTF32X4(from, q)
		} else {
			VBROADCASTF128(from, q)
		}
	})
	return q
}

// oneOrFour runs one, or four, depending on count.
func oneOrFour(count reg.GPVirtual, one, four func()) {
	labels++
	whole, end := label("four"), label("either")
	CMPQ(count, Imm(4))
	JE(LabelRef(whole))
	one()
	JMP(LabelRef(end))
	Label(whole)
	four()
	Label(end)
}

// advance moves a pointer that is a parameter on by count floats.
func advance(param string, count reg.GPVirtual) {
	p := load64(param)
	LEAQ(Mem{Base: p, Index: count, Scale: 4}, p)
	MOVQ(p, address(param))
}

// restart returns copies of the count and of the pointers, for another pass over the row.
func restart(n reg.GPVirtual, pointers ...reg.GPVirtual) (reg.GPVirtual, []reg.GPVirtual) {
	dup := func(r reg.GPVirtual) reg.GPVirtual {
		c := GP64()
		MOVQ(r, c)
		return c
	}
	ps := make([]reg.GPVirtual, len(pointers))
	for i, p := range pointers {
		ps[i] = dup(p)
	}
	return dup(n), ps
}

func (s *isa) affineGrad() {
	s.function("affineGrad", "func(dgain, dbias []float32, dy, x *float32, ld int, mean, rstd *float32, rows int)", `computes for rows > 0, ld floats apart,

	for r := range rows {
		for j := range dgain {
			dgain[j] += dy[r*ld+j] * ((x[r*ld+j] - mean[r]) * rstd[r])
			dbias[j] += dy[r*ld+j]
		}
	}`)
	dgain, dbias, n, dy, x, ld := base("dgain"), base("dbias"), length("dgain"), load64("dy"), load64("x"), load64("ld")
	SHLQ(Imm(2), ld)
	s.steps(n, affineVectors, []reg.GPVirtual{dgain, dbias, dy, x}, func(vectors int, tail bool) {
		mean, rstd, rows := load64("mean"), load64("rstd"), load64("rows")
		gains, biases := make([]reg.VecVirtual, vectors), make([]reg.VecVirtual, vectors)
		for v := range vectors {
			gains[v], biases[v] = s.load(s.at(dgain, v), tail), s.load(s.at(dbias, v), tail)
		}
		p, q := GP64(), GP64()
		MOVQ(dy, p)
		MOVQ(x, q)
		labels++
		row := label("row")
		Label(row)
		m, scale := s.broadcast(Mem{Base: mean}), s.broadcast(Mem{Base: rstd})
		for v := range vectors {
			g, z := s.load(s.at(p, v), tail), s.load(s.at(q, v), tail)
			VSUBPS(m, z, z)
			VMULPS(scale, z, z)
			VFMADD231PS(z, g, gains[v])
			VADDPS(g, biases[v], biases[v])
		}
		ADDQ(ld, p)
		ADDQ(ld, q)
		ADDQ(Imm(4), mean)
		ADDQ(Imm(4), rstd)
		DECQ(rows)
		JNZ(LabelRef(row))
		for v := range vectors {
			s.store(gains[v], s.at(dgain, v), tail)
			s.store(biases[v], s.at(dbias, v), tail)
		}
	})
	s.ret()
}

// affineVectors is the number of vectors of columns that are summed down the rows together.
const affineVectors = 4
