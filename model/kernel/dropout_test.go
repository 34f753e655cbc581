package kernel

import (
	"math"
	"testing"
)

// kept returns the mask of n elements as zeros and ones.
func kept(d Dropout, n int) []float64 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	d.Apply(x, x)
	m := make([]float64, n)
	for i, v := range x {
		if v != 0 {
			m[i] = 1
		}
	}
	return m
}

func TestDropout(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range lengths() {
			for _, p := range []float32{0, 0.1, 0.5, 0.9} {
				d := Dropout{P: p, Seed: uint64(n)}
				x, y := random(newRand(1), n, n%3), random(newRand(2), n, n%2)
				d.Apply(y, x)
				m := mask{threshold: uint32(float64(p) * (1 << 32))}
				key := splitmix64(d.Seed + splitmix64(0))
				m.key0, m.key1 = uint32(key), uint32(key>>32)
				for i := range x {
					want := x[i] * (1 / (1 - p))
					if m.hash(uint32(i)) < m.threshold {
						want = 0
					}
					if y[i] != want {
						t.Fatalf("P %v, element %d of %d: %v, want %v", p, i, n, y[i], want)
					}
				}
				unharmed(t, y)
				d.Apply(x, x)
				for i := range x {
					if x[i] != y[i] {
						t.Fatalf("in place, element %d of %d: %v, want %v", i, n, x[i], y[i])
					}
				}
			}
		}
	})
}

// The numbers of a mask don't repeat after 2³² elements, and a run across that
// border agrees with its two halves.
func TestDropoutLargeIndex(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		d := Dropout{P: 0.5, Seed: 3}
		ones := func(n int) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = 1
			}
			return x
		}
		const border = 1 << 32
		a, b, c := ones(300), ones(300), ones(200)
		d.apply(active, a, a, border-100)
		d.apply(active, b, b, 0)
		d.apply(active, c, c, border)
		same := 0
		for i, v := range c {
			if a[100+i] != v {
				t.Fatalf("element 2³²+%d depends on where its run began", i)
			}
			if b[i] == v {
				same++
			}
		}
		if same < 60 || same > 140 {
			t.Errorf("%d of 200 elements after 2³² equal the first ones, want about 100", same)
		}
	})
}

// Frequencies are within 4.5 standard deviations: of elements that are kept, of neighbours at
// several distances that are both kept, of two seeds' masks agreeing, and of the counts in
// blocks (chi-squared).
func TestDropoutStatistics(t *testing.T) {
	const n = 1 << 20
	for _, p := range []float64{0.1, 0.5} {
		for _, seed := range []uint64{0, 1, 2, 1 << 40} {
			q := 1 - p
			m, other := kept(Dropout{float32(p), seed}, n), kept(Dropout{float32(p), seed + 1}, n)
			check := func(what string, count, trials, chance float64) {
				t.Helper()
				if z := (count - trials*chance) / math.Sqrt(trials*chance*(1-chance)); math.Abs(z) > 4.5 {
					t.Errorf("P %v, seed %d: %s: %v of %v, %.1f standard deviations off", p, seed, what, count, trials, z)
				}
			}
			total, agree := 0.0, 0.0
			for i := range m {
				total += m[i]
				agree += m[i] * other[i]
			}
			check("kept", total, n, q)
			check("kept by two seeds", agree, n, q*q)
			for _, lag := range []int{1, 2, 16, 64, 128, 768, 1024, 4096} {
				// Pairs share no element, so that they are independent.
				both, pairs := 0.0, 0.0
				for i := 0; i+lag < n; i++ {
					if i/lag%2 == 0 {
						both += m[i] * m[i+lag]
						pairs++
					}
				}
				check("neighbours kept", both, pairs, q*q)
			}
			const width = 256
			chi := 0.0
			for i := 0; i < n; i += width {
				count := 0.0
				for _, v := range m[i : i+width] {
					count += v
				}
				chi += (count - width*q) * (count - width*q) / (width * q * p)
			}
			const freedom = n / width
			if z := (chi - freedom) / math.Sqrt(2*freedom); math.Abs(z) > 4.5 {
				t.Errorf("P %v, seed %d: blocks' counts spread %.1f standard deviations off", p, seed, z)
			}
		}
	}
}
