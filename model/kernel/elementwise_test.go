package kernel

import (
	"math"
	"testing"
)

func TestAddScale(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range lengths() {
			r := newRand(uint64(n))
			a, b, y := random(r, n, n%5), random(r, n, n%3), random(r, n, n%2)
			want := make([]float64, n)
			for i := range want {
				want[i] = float64(a[i] + b[i])
			}
			Add(y, a, b)
			near(t, "a+b", y, want, 0)
			unharmed(t, y)
			Add(a, a, b)
			near(t, "a+=b", a, want, 0)
			for i := range want {
				want[i] = float64(-1.5 * y[i])
			}
			Scale(y, -1.5)
			near(t, "scaled", y, want, 0)
			unharmed(t, a, y)
		}
	})
}

func TestSumSquares(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range lengths() {
			x := random(newRand(uint64(n)), n, n%4)
			want := 0.0
			for _, v := range x {
				want += float64(v) * float64(v)
			}
			for _, xs := range [][][]float32{{x}, {x[:n/3], nil, x[n/3:], x[:0]}} {
				got := SumSquares(xs...)
				if math.Abs(got-want) > 1e-12*want {
					t.Errorf("%d elements in %d slices: %v, want %v", n, len(xs), got, want)
				}
				sums := make([]float64, len(xs)+n/SquareBlock)
				SquareSums(sums, xs...)
				added := 0.0
				for _, s := range sums {
					added += s
				}
				if added != got {
					t.Errorf("%d elements in %d slices: blocks add up to %v, not to %v", n, len(xs), added, got)
				}
			}
		}
		// Squares beyond float32 must not overflow.
		if got := SumSquares([]float32{1e30, 1e30}); math.Abs(got-2e60) > 1e54 {
			t.Errorf("large squares: %v, want 2e60", got)
		}
		x := random(newRand(1), 200000, 0)
		sameBits(t, func() []float32 {
			b := math.Float64bits(SumSquares(x))
			return []float32{math.Float32frombits(uint32(b >> 32)), math.Float32frombits(uint32(b))}
		})
	})
}

func TestCopy(t *testing.T) {
	for _, n := range lengths() {
		x, y := random(newRand(uint64(n)), n, n%4), random(newRand(1), n, n%3)
		Copy(y, x)
		for i := range x {
			if x[i] != y[i] {
				t.Fatalf("%d elements: element %d is %v, want %v", n, i, y[i], x[i])
			}
		}
		unharmed(t, x, y)
	}
}

func TestSetInstructionSet(t *testing.T) {
	before := InstructionSet()
	defer SetInstructionSet(before)
	names := InstructionSets()
	if names[0] != "portable" || names[len(names)-1] != before {
		t.Errorf("%v, in use %s", names, before)
	}
	for _, name := range names {
		if SetInstructionSet(name); InstructionSet() != name {
			t.Errorf("%s in use, want %s", InstructionSet(), name)
		}
	}
}

func TestFirstNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range lengths() {
			x := random(newRand(uint64(n)), n, n%4)
			x = append(x[:n:n], nan)[:n] // a NaN after the end doesn't count
			if got := FirstNonFinite(x); got != -1 {
				t.Fatalf("%d finite elements: %d, want -1", n, got)
			}
			if n == 0 {
				continue
			}
			for _, bad := range []float32{nan, inf, -inf} {
				for _, at := range []int{0, n / 2, n - 1} {
					was := x[at]
					x[at] = bad
					if got := FirstNonFinite(x); got != at {
						t.Fatalf("%v at %d of %d: found %d", bad, at, n, got)
					}
					x[at] = was
				}
			}
		}
		if got := FirstNonFinite([]float32{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}); got != -1 {
			t.Errorf("extreme finite values: %d, want -1", got)
		}
	})
}
