// Package powerlaw fits the scaling law L(x) = E + (C/x)^α to measured losses, with
// error bars.
package powerlaw

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// Point is a measured loss of a model of size X.
type Point struct{ X, Loss float64 }

// Law is L(x) = E + (C/x)^Alpha. E is the loss of infinitely large models, C the size at
// which the rest, (C/x)^Alpha, is 1, and -Alpha the slope of that rest in a picture with
// logarithmic axes. Kaplan et al. 2020 (equation 1.1) leave E out; Hoffmann et al. 2022
// (equation 2) don't.
type Law struct {
	E, C, Alpha float64
	// R2 is 1 minus the law's squared errors over those of the mean loss.
	R2 float64

	// AtFloor reports whether E is held at the floor that Fit was given: the points alone
	// would have it lower.
	AtFloor bool

	// covariance of E, ln A and Alpha, where A = C^Alpha; nil when there are no more
	// points than parameters.
	covariance *mat.SymDense
	// deviation is the standard deviation of ln L from the law, freedom its degrees of
	// freedom.
	deviation float64
	freedom   int
}

// parameters is the number of parameters of a law.
const parameters = 3

// Fit returns the law with the least sum of squared errors of ln L, so that a small model's
// loss counts no more than a large one's. (Hoffmann et al. 2022, section D.2, take the same
// errors, with a Huber loss.) It needs points of at least three different sizes, and the
// largest must have a lower loss than the smallest. E is no lower than floor: 0 or, where it
// is known, the entropy of the text, which no model's loss is below.
func Fit(points []Point, floor float64) (Law, error) {
	if err := check(points, floor); err != nil {
		return Law{}, err
	}
	least, most := math.Inf(1), 0.0
	logX := 0.0 // mean: the middle of the sizes
	for _, p := range points {
		least, most = min(least, p.Loss), max(most, p.Loss)
		logX += math.Log(p.X) / float64(len(points))
	}
	// The search is in v, whose elements hardly depend on one another:
	// E = floor + (least-floor)·e^-exp(v0) is between floor and the least loss, L - E in the
	// middle of the sizes is e^v1, and Alpha is e^v2.
	unpack := func(v []float64) (e, logA, alpha float64) {
		alpha = math.Exp(v[2])
		return floor + (least-floor)*math.Exp(-math.Exp(v[0])), v[1] + alpha*logX, alpha
	}
	squares := func(v []float64) float64 {
		e, logA, alpha := unpack(v)
		sum := 0.0
		for _, p := range points {
			r := math.Log(p.Loss) - math.Log(e+math.Exp(logA-alpha*math.Log(p.X)))
			sum += r * r
		}
		return sum
	}
	best := math.Inf(1)
	var found []float64
	for _, e := range []float64{0.2, 0.7, 0.97} {
		for _, alpha := range []float64{0.1, 0.4, 1.2} {
			start := []float64{math.Log(-math.Log(e)), math.Log((most+least)/2 - floor - e*(least-floor)), math.Log(alpha)}
			// The error is left out: a simplex that can't shrink further is an answer too.
			r, _ := optimize.Minimize(optimize.Problem{Func: squares}, start, &optimize.Settings{MajorIterations: 4000, Converger: &optimize.FunctionConverge{Absolute: 1e-16, Iterations: 200}}, &optimize.NelderMead{})
			if r != nil && r.F < best {
				best, found = r.F, slices.Clone(r.X)
			}
		}
	}
	if found == nil {
		return Law{}, errors.New("no law L = E + (C/x)^α was found for these losses")
	}
	e, logA, alpha := unpack(found)
	if math.IsInf(math.Exp(logA/alpha), 0) {
		return Law{}, fmt.Errorf("no law L = E + (C/x)^α was found for these losses: they fall from %.4f to %.4f and hardly as a power (α = %.2g)", most, least, alpha)
	}
	l := Law{E: e, C: math.Exp(logA / alpha), Alpha: alpha, AtFloor: e-floor < atFloor*(least-floor)}
	l.R2 = l.r2(points)
	if x := l.E + l.C + l.Alpha + l.R2; math.IsNaN(x) || math.IsInf(x, 0) {
		return Law{}, fmt.Errorf("no law L = E + (C/x)^α was found for these losses, from %.4g to %.4g", most, least)
	}
	l.uncertainty(points, best)
	return l, nil
}

// atFloor is the distance from the floor, as a part of that between the floor and the least
// loss, below which E counts as being at the floor. The search only comes near to it.
const atFloor = 1e-4

// check returns an error if no law can be fitted to the points.
func check(points []Point, floor float64) error {
	sizes := map[float64]bool{}
	for _, p := range points {
		if !(p.X > 0) || !(p.Loss > 0) || math.IsInf(p.X, 0) || math.IsInf(p.Loss, 0) {
			return fmt.Errorf("size %v, loss %v: expected positive numbers", p.X, p.Loss)
		}
		if p.Loss <= floor {
			return fmt.Errorf("size %v, loss %v: expected a loss above %v, the lowest that is possible", p.X, p.Loss, floor)
		}
		sizes[p.X] = true
	}
	if len(sizes) < parameters {
		return fmt.Errorf("%d different sizes: expected at least %d, as the law has %[2]d parameters", len(sizes), parameters)
	}
	bySize := func(p, q Point) int { return cmp.Compare(p.X, q.X) }
	smallest, largest := slices.MinFunc(points, bySize), slices.MaxFunc(points, bySize)
	if largest.Loss >= smallest.Loss {
		return fmt.Errorf("the largest model's loss %.4f isn't below the smallest's %.4f: the law needs losses that fall with size", largest.Loss, smallest.Loss)
	}
	return nil
}

// At returns the law's loss at size x.
func (l Law) At(x float64) float64 { return l.E + l.above(x) }

// above returns what the law adds to E at size x.
func (l Law) above(x float64) float64 { return math.Pow(l.C/x, l.Alpha) }

// r2 returns the coefficient of determination; see Law.R2.
func (l Law) r2(points []Point) float64 {
	mean, residual, total := 0.0, 0.0, 0.0
	for _, p := range points {
		mean += p.Loss / float64(len(points))
	}
	for _, p := range points {
		residual += (p.Loss - l.At(p.X)) * (p.Loss - l.At(p.X))
		total += (p.Loss - mean) * (p.Loss - mean)
	}
	return 1 - residual/total
}
