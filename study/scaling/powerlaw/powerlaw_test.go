package powerlaw

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sizes over two orders of magnitude.
var sizes = []float64{3e4, 1e5, 2.4e5, 6e5, 1.5e6, 3.6e6}

func on(e, c, alpha float64) (points []Point) {
	for _, x := range sizes {
		points = append(points, Point{x, e + math.Pow(c/x, alpha)})
	}
	return points
}

// What lies on a law gives that law back.
func TestFitExact(t *testing.T) {
	for _, want := range []Law{{E: 0.3, C: 2e4, Alpha: 0.5}, {E: 1.69, C: 5e5, Alpha: 0.34}, {E: 0.01, C: 1e4, Alpha: 0.8}} {
		got, err := Fit(on(want.E, want.C, want.Alpha), 0)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.E-want.E) > 1e-3*want.E+1e-4 || math.Abs(got.Alpha-want.Alpha) > 1e-3 || math.Abs(got.C/want.C-1) > 1e-2 || got.R2 < 1-1e-9 {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// The error bars of noisy points hold the truth about as often as they say.
func TestErrorBars(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const trials = 100
	var e, alpha, next int
	for range trials {
		points := on(0.3, 2e4, 0.5)
		for i := range points {
			points[i].Loss *= math.Exp(0.01 * random.NormFloat64())
		}
		l, err := Fit(points, 0)
		if err != nil {
			t.Fatal(err)
		}
		de, da := l.Errors()
		if math.Abs(l.E-0.3) <= de {
			e++
		}
		if math.Abs(l.Alpha-0.5) <= da {
			alpha++
		}
		truth := (0.3 + math.Pow(2e4/1e7, 0.5)) * math.Exp(0.01*random.NormFloat64())
		if low, high := l.Between(1e7); low <= truth && truth <= high {
			next++
		}
	}
	for name, n := range map[string]int{"E": e, "Alpha": alpha, "Between": next} {
		if share := float64(n) / trials; share < 0.86 || share == 1 {
			t.Errorf("%s: %.0f %% of the error bars hold the truth, want about %.0f %%", name, 100*share, 100*Confidence)
		}
	}
}

func TestNoLaw(t *testing.T) {
	for name, points := range map[string][]Point{
		"too few":             {{1, 2}, {2, 1}},
		"one size":            {{1, 2}, {1, 1.9}, {1, 1.8}, {2, 1}},
		"rising":              {{1, 1}, {2, 1.1}, {3, 1.2}},
		"not a loss":          {{1, 2}, {2, math.NaN()}, {3, 1}},
		"not a size":          {{-1, 2}, {2, 1.5}, {3, 1}},
		"infinite":            {{1, math.Inf(1)}, {2, 1.5}, {3, 1}},
		"slower than a power": {{1e4, 2}, {1e5, 1.9999}, {1e6, 1.9998}, {1e7, 1.9997}},
		"nothing too":         nil,
	} {
		if l, err := Fit(points, 0); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// Three points leave nothing to say about errors.
func TestThreePoints(t *testing.T) {
	l, err := Fit(on(0.3, 2e4, 0.5)[:3], 0)
	if err != nil {
		t.Fatal(err)
	}
	if e, alpha := l.Errors(); !math.IsInf(e, 1) || !math.IsInf(alpha, 1) {
		t.Errorf("error bars %v, %v", e, alpha)
	}
}

// A floor below E changes nothing. Losses that fall as if to below it give a law that ends
// at it, whose error bars are of the two other parameters.
func TestFloor(t *testing.T) {
	free, err := Fit(on(0.3, 2e4, 0.5), 0)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Fit(on(0.3, 2e4, 0.5), 0.2); err != nil || l.AtFloor || math.Abs(l.E-free.E) > 1e-3 || math.Abs(l.At(1e7)/free.At(1e7)-1) > 1e-3 {
		t.Errorf("%+v, %v; without a floor %+v", l, err, free)
	}
	l, err := Fit(on(0.15, 2e4, 0.5), 0.2)
	if err != nil || !l.AtFloor || math.Abs(l.E-0.2) > 1e-3 {
		t.Fatalf("%+v, %v", l, err)
	}
	e, alpha := l.Errors()
	low, high := l.Between(1e7)
	if e != 0 || !(alpha > 0) || math.IsInf(alpha, 0) || !(low < l.At(1e7) && l.At(1e7) < high) || math.IsInf(high, 0) {
		t.Errorf("%+v: error bars %v, %v, %v to %v", l, e, alpha, low, high)
	}
	if l, err := Fit(on(0.3, 2e4, 0.5), 0.4); err == nil {
		t.Errorf("a loss below the floor: %+v", l)
	}
}
