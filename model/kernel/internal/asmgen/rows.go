package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) max() {
	s.function("max", "func(x []float32) float32", "returns",
		"",
		"\tm := float32(math.Inf(-1))",
		"\tfor _, v := range x { m = max(m, v) }",
		"",
		"but may pass over a NaN.")
	x, n := base("x"), length("x")
	inf := s.bits(math.Float32bits(float32(math.Inf(-1))))
	ms := make([]reg.VecVirtual, 4)
	for i := range ms {
		ms[i] = s.vec()
		VMOVUPS(inf, ms[i])
	}
	s.loop(n, 4, []reg.GPVirtual{x}, func(v int, tail bool) {
		switch {
		case !tail:
			VMAXPS(s.at(x, v), ms[v], ms[v])
		case s.wide:
			VMAXPS(s.at(x, v), ms[v], reg.K1, ms[v])
		default:
			y := s.load(s.at(x, v), true)
			none := s.vec()
			VMOVUPS(inf, none)
			VBLENDVPS(s.tail, y, none, y)
			VMAXPS(y, ms[v], ms[v])
		}
	})
	m := s.across(fold(ms, VMAXPS), VMAXPS)
	Store(m.AsX(), ReturnIndex(0))
	s.ret()
}

func (s *isa) expSum() {
	s.function("exp", "func(y, x []float32, scale, shift float32) (sum float32)", "computes",
		"",
		"\tfor i, v := range x {",
		"\t\ty[i] = exp32(scale*v - shift)",
		"\t\tsum += y[i]",
		"\t}")
	y, x, n := base("y"), base("x"), length("x")
	scale, shift := s.param("scale"), s.param("shift")
	sums := s.zeros(2)
	s.loop(n, 2, []reg.GPVirtual{y, x}, func(v int, tail bool) {
		e := s.load(s.at(x, v), tail)
		VFMSUB213PS(shift, scale, e)
		e = s.exp(e)
		s.clearBeyond(e, tail)
		VADDPS(e, sums[v], sums[v])
		s.store(e, s.at(y, v), tail)
	})
	sum := s.across(fold(sums, VADDPS), VADDPS)
	Store(sum.AsX(), ReturnIndex(0))
	s.ret()
}

// average returns, in all lanes, the sum of the vectors' lanes over n.
func (s *isa) average(vs []reg.VecVirtual, n reg.GPVirtual) reg.VecVirtual {
	sum := s.across(fold(vs, VADDPS), VADDPS)
	count := XMM()
	VXORPS(count, count, count)
	VCVTSI2SSQ(n, count, count)
	VDIVSS(count, sum.AsX(), sum.AsX())
	return s.spread(sum)
}

// spread broadcasts lane 0.
func (s *isa) spread(v reg.VecVirtual) reg.VecVirtual {
	VBROADCASTSS(v.AsX(), v)
	return v
}

// restart returns copies of the count and the pointers for another pass.
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

func (s *isa) normalize() {
	s.function("normalize", "func(y, x, gain, bias []float32, eps float32) (mean, rstd float32)", "computes",
		"",
		"\tmean, rstd = average(x), 1/sqrt(average((x-mean)²)+eps)",
		"\tfor i, v := range x { y[i] = (v-mean)*rstd*gain[i] + bias[i] }")
	x, n := base("x"), length("x")
	m, p := restart(n, x)
	sums := s.zeros(4)
	s.loop(m, 4, p, func(v int, tail bool) {
		if tail {
			VADDPS(s.load(s.at(p[0], v), true), sums[v], sums[v])
		} else {
			VADDPS(s.at(p[0], v), sums[v], sums[v])
		}
	})
	mean := s.average(sums, n)
	Store(mean.AsX(), ReturnIndex(0))

	squares := s.zeros(4)
	m, q := restart(n, x)
	s.loop(m, 4, q, func(v int, tail bool) {
		d := s.load(s.at(q[0], v), tail)
		VSUBPS(mean, d, d)
		s.clearBeyond(d, tail)
		VFMADD231PS(d, d, squares[v])
	})
	variance := s.average(squares, n)
	rstd, one := variance.AsX(), XMM()
	VADDSS(address("eps"), rstd, rstd)
	VSQRTSS(rstd, rstd, rstd)
	VMOVSS(s.constant(1), one)
	VDIVSS(rstd, one, rstd)
	Store(rstd, ReturnIndex(1))
	scale := s.spread(variance)

	y, gain, bias := base("y"), base("gain"), base("bias")
	s.loop(n, 2, []reg.GPVirtual{y, x, gain, bias}, func(v int, tail bool) {
		d := s.load(s.at(x, v), tail)
		VSUBPS(mean, d, d)
		VMULPS(scale, d, d)
		VFMADD213PS(s.load(s.at(bias, v), tail), s.load(s.at(gain, v), tail), d)
		s.store(d, s.at(y, v), tail)
	})
	s.ret()
}

func (s *isa) normalizeGrad() {
	s.function("normalizeGrad", "func(dx, dy, x, gain []float32, mean, rstd float32, accumulate bool)", "computes",
		"",
		"\tg, z := dy*gain, (x-mean)*rstd",
		"\tsum, dot := average(g), average(g*z)",
		"\tfor i := range x { dx[i] = or += rstd * (g[i] - sum - z[i]*dot) }")
	dy, x, gain, n := base("dy"), base("x"), base("gain"), length("x")
	mean, rstd := s.param("mean"), s.param("rstd")
	m, p := restart(n, dy, x, gain)
	sums, dots := s.zeros(2), s.zeros(2)
	s.loop(m, 2, p, func(v int, tail bool) {
		g := s.load(s.at(p[0], v), tail)
		VMULPS(s.load(s.at(p[2], v), tail), g, g)
		VADDPS(g, sums[v], sums[v])
		z := s.load(s.at(p[1], v), tail)
		VSUBPS(mean, z, z)
		VMULPS(rstd, z, z)
		VFMADD231PS(z, g, dots[v])
	})
	sum, dot := s.average(sums, n), s.average(dots, n)
	dx := base("dx")
	add := GP32()
	Load(Param("accumulate"), add.As8())
	TESTB(add.As8(), add.As8())
	JNZ(LabelRef("accumulate"))
	for _, accumulate := range []bool{false, true} {
		if accumulate {
			Label("accumulate")
		}
		m, p := restart(n, dy, x, gain, dx)
		s.loop(m, 2, p, func(v int, tail bool) {
			g := s.load(s.at(p[0], v), tail)
			VMULPS(s.load(s.at(p[2], v), tail), g, g)
			VSUBPS(sum, g, g)
			z := s.load(s.at(p[1], v), tail)
			VSUBPS(mean, z, z)
			VMULPS(rstd, z, z)
			VFNMADD231PS(dot, z, g)
			if accumulate {
				VFMADD213PS(s.load(s.at(p[3], v), tail), rstd, g)
			} else {
				VMULPS(rstd, g, g)
			}
			s.store(g, s.at(p[3], v), tail)
		})
		s.ret()
	}
}

func (s *isa) affineGrad() {
	s.function("affineGrad", "func(dgain, dbias []float32, dy, x *float32, ld int, mean, rstd *float32, rows int)", "computes for rows > 0, ld floats apart,",
		"",
		"\tfor r := range rows {",
		"\t\tfor j := range dgain {",
		"\t\t\tdgain[j] += dy[r*ld+j] * ((x[r*ld+j] - mean[r]) * rstd[r])",
		"\t\t\tdbias[j] += dy[r*ld+j]",
		"\t\t}",
		"\t}")
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

// affineVectors is the number of vectors of columns whose sums go down the rows together.
const affineVectors = 4
