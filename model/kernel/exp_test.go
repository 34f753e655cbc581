package kernel

import (
	"math"
	"testing"
)

// The bound that exp32 and its vector forms state: 2 ulp of the result, or of
// the smallest normal number where the result is subnormal.
func TestExpAccuracy(t *testing.T) {
	eachInstructionSet(t, func(t *testing.T) {
		const n = 200003
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = float32(-105 + float64(i)*(193.7/n))
		}
		active.exp(y, x, 1, 0)
		worst := 0.0
		for i := range x {
			want := math.Exp(float64(x[i]))
			ulp := math.Max(math.Ldexp(1, math.Ilogb(want)-23), math.Ldexp(1, -149))
			worst = math.Max(worst, math.Abs(float64(y[i])-want)/ulp)
		}
		t.Logf("largest error %.2f ulp", worst)
		if !(worst <= 2) {
			t.Errorf("largest error %.2f ulp, want at most 2", worst)
		}
	})
}

func TestExp(t *testing.T) {
	inf := float32(math.Inf(1))
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range lengths() {
			x := random(newRand(uint64(n)), n, n%5)
			want, sum := make([]float64, n), 0.0
			for i, v := range x {
				want[i] = math.Exp(0.5*float64(v) - 0.25)
				sum += want[i]
			}
			y := random(newRand(1), n, n%3)
			got := active.exp(y, x, 0.5, 0.25)
			near(t, "exp", y, want, 3e-7)
			near(t, "sum", []float32{got}, []float64{sum}, 1e-5)
			unharmed(t, y)

			largest := float32(math.Inf(-1))
			for i, v := range x {
				x[i] = -v * v
				largest = max(largest, x[i])
			}
			if got := active.max(x); got != largest {
				t.Errorf("max of %d negative elements is %v, want %v", n, got, largest)
			}
			if n > 0 {
				x[n*2/3] = float32(math.NaN())
				if got := active.exp(y, x, 1, 0); got == got || y[n*2/3] == y[n*2/3] {
					t.Errorf("exp lost a NaN at %d of %d", n*2/3, n)
				}
			}
		}
		y := make([]float32, 4)
		active.exp(y, []float32{-inf, inf, 89, -200}, 1, 0)
		if y[0] != 0 || y[1] != inf || y[2] != inf || y[3] != 0 {
			t.Errorf("exp of -Inf, +Inf, 89, -200 = %v", y)
		}
	})
}

func TestLog(t *testing.T) {
	for x := float32(1e-37); x < 3e38; x *= 1.0137 {
		near(t, "log", []float32{log(x)}, []float64{math.Log(float64(x))}, 1e-7)
	}
	near(t, "log 1", []float32{log(1)}, []float64{0}, 0)
}
