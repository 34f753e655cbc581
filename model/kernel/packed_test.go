package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

var packings = []Packing{BFloat16, Int8}

// unpackedRef is W[out,in] as a packing holds it, by the definition of its format.
func unpackedRef(p Packing, w []float32, out, in int) []float64 {
	y := widen(w)
	for r := range out {
		row := y[r*in : (r+1)*in]
		switch p.name {
		case "bfloat16":
			for i, v := range row {
				// 8 significant bits, ties to even.
				fraction, exponent := math.Frexp(v)
				row[i] = math.Ldexp(math.RoundToEven(fraction*256)/256, exponent)
			}
		case "int8":
			for from := 0; from < in; from += 64 {
				group, largest := row[from:min(from+64, in)], 0.0
				for _, v := range group {
					largest = max(largest, math.Abs(v))
				}
				scale := float64(float32(largest) / 127)
				for i, v := range group {
					group[i] = float64(float32(math.RoundToEven(v/scale)) * float32(scale))
				}
			}
		}
	}
	return y
}

func TestPack(t *testing.T) {
	for _, p := range packings {
		for _, s := range [][2]int{{0, 5}, {3, 0}, {1, 1}, {5, 31}, {4, 32}, {17, 33}, {3, 64}, {40, 65}, {7, 300}} {
			out, in := s[0], s[1]
			r := newRand(uint64(out))
			w, trans := random(r, out*in, 1), make([]float32, out*in)
			for i := range out {
				for j := range in {
					trans[j*out+i] = w[i*in+j]
				}
			}
			want := unpackedRef(p, w, out, in)
			eachInstructionSet(t, func(t *testing.T) {
				for _, m := range []*Packed{p.Pack(w, out, in, false), p.Pack(trans, out, in, true)} {
					got := random(r, out*in, 0)
					m.Unpack(got, 0, out)
					near(t, fmt.Sprintf("%s %d×%d", p.name, out, in), got, want, 0)
					unharmed(t, got)
					if from, to := out/3, out/3+out/2; to <= out {
						m.Unpack(got, from, to)
						near(t, fmt.Sprintf("%s %d×%d, rows %d to %d", p.name, out, in, from, to), got, want[from*in:to*in], 0)
					}
				}
			})
		}
	}
}

// Zeros stay zeros, NaN and infinities don't become finite, and no number grows.
func TestPackSpecial(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	x := make([]float32, 64)
	for _, p := range packings {
		unpacked := func(v float32) float32 {
			clear(x)
			x[5] = v
			p.Pack(x, 1, 64, false).Unpack(x, 0, 1)
			if v == v && !math.IsInf(float64(v), 0) && x[6] != 0 {
				t.Errorf("%s: a zero in a block with %v becomes %v", p.name, v, x[6])
			}
			return x[5]
		}
		for _, v := range []float32{0, 1, -1, 1e-30, -3e38} {
			if got := unpacked(v); math.Abs(float64(got-v)) > math.Abs(float64(v))/128 {
				t.Errorf("%s: %v becomes %v", p.name, v, got)
			}
		}
		for _, v := range []float32{nan, inf, -inf} {
			if got := unpacked(v); !math.IsNaN(float64(got)) && got != v {
				t.Errorf("%s: %v becomes %v", p.name, v, got)
			}
		}
	}
}

func TestPackedLinear(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, p := range packings {
			for _, s := range [][2]int{{0, 5}, {3, 0}, {1, 1}, {2, 33}, {4, 64}, {5, 130}, {37, 65}, {130, 96}, {1030, 40}, {70, 1100}} {
				out, in := s[0], s[1]
				r := newRand(uint64(100*out + in))
				w, bias := random(r, out*in, 0), random(r, out, 1)
				m := p.Pack(w, out, in, false)
				reference := unpackedRef(p, w, out, in)
				for _, rows := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40} {
					x, y := random(r, rows*in, 1), random(r, rows*out, 2)
					want := productRef(false, true, rows, out, in, widen(x), reference, nil)
					what := fmt.Sprintf("%s %d×%d, %d rows", p.name, out, in, rows)
					m.Linear(y, x, nil, rows)
					near(t, what, y, want, 3e-6*float64(1+in/16))
					for i := range want {
						want[i] += float64(bias[i%out])
					}
					m.Linear(y, x, bias, rows)
					near(t, what+", bias", y, want, 3e-6*float64(1+in/16))
					unharmed(t, y)
				}
			}
		}
	})
}

func TestPackedSameBits(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, p := range packings {
			const out, in = 1100, 70
			r := newRand(5)
			m := p.Pack(random(r, out*in, 0), out, in, false)
			x := random(r, 40*in, 0)
			for _, rows := range []int{3, 40} {
				sameBits(t, func() []float32 {
					y := make([]float32, rows*out)
					m.Linear(y, x, nil, rows)
					return y
				})
			}
			// A row's product doesn't depend on the others.
			const most = 3*nearRows + 5
			x = random(r, most*in, 0)
			alone, together := make([]float32, out), make([]float32, most*out)
			for _, rows := range []int{1, 2, 3, 4, 5, 8, fewPackedRows, fewPackedRows + 1, nearRows + 3, most} {
				m.Linear(together, x, nil, rows)
				for i := range rows {
					m.Linear(alone, x[i*in:], nil, 1)
					if !slices.Equal(alone, together[i*out:(i+1)*out]) {
						t.Fatalf("%s: row %d of %d differs from what it is alone", p.name, i, rows)
					}
				}
			}
		}
	})
}

// The shapes are those of GPT-2's smallest model, read from memory.
func BenchmarkPackedLinear(b *testing.B) {
	defer func(was *instructionSet) { active = was }(active)
	for _, isa := range instructionSets {
		for _, p := range packings {
			for _, rows := range []int{1, 4, 16, 256} {
				const out, in, many = 3072, 768, 24
				r := newRand(1)
				var ms [many]*Packed
				for i := range ms {
					ms[i] = p.Pack(random(r, out*in, 0), out, in, false)
				}
				x, y := random(r, rows*in, 0), random(r, rows*out, 0)
				b.Run(fmt.Sprintf("%s/%s/rows=%d", isa.name, p.name, rows), func(b *testing.B) {
					active = isa
					i := 0
					for b.Loop() {
						ms[i%many].Linear(y, x, nil, rows)
						i++
					}
					b.ReportMetric(float64(ms[0].Bytes())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
					b.ReportMetric(2*float64(rows*out*in)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
