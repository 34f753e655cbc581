package powerlaw

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the probability that the true value is within the error bars.
const Confidence = 0.95

// uncertainty computes the covariance of the parameters from the sum of squared errors that
// is left, as for least squares: s²·(JᵀJ)⁻¹, where J holds the derivatives of ln L. An E at
// its floor isn't free: it has no error, and the others have those of a law with that E.
func (l *Law) uncertainty(points []Point, squares float64) {
	first := 0 // of the free parameters
	if l.AtFloor {
		first = 1
	}
	free := parameters - first
	l.freedom = len(points) - free
	if l.freedom < 1 {
		return
	}
	l.deviation = math.Sqrt(squares / float64(l.freedom))
	j := mat.NewDense(len(points), free, nil)
	for i, p := range points {
		j.SetRow(i, l.gradient(p.X)[first:])
	}
	var information, inverse mat.Dense
	information.Mul(j.T(), j)
	// A law that the points don't determine has no inverse.
	if err := inverse.Inverse(&information); err != nil && inverse.IsEmpty() {
		return
	}
	l.covariance = mat.NewSymDense(parameters, nil)
	for r := range free {
		for c := r; c < free; c++ {
			l.covariance.SetSym(first+r, first+c, l.deviation*l.deviation*inverse.At(r, c))
		}
	}
}

// gradient returns the derivatives of ln L(x) with respect to E, ln A and Alpha.
func (l Law) gradient(x float64) []float64 {
	at, above := l.At(x), l.above(x)
	return []float64{1 / at, above / at, -above * math.Log(x) / at}
}

// half returns the half width of an error bar, by Student's t, for the square of a standard
// error; infinite if it is unknown.
func (l Law) half(variance float64) float64 {
	if l.covariance == nil || variance < 0 {
		return math.Inf(1)
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(l.freedom)}.Quantile((1 + Confidence) / 2)
	return t * math.Sqrt(variance)
}

// Errors returns the half widths of the error bars of E and Alpha; infinite if the points are
// too few or don't determine the law. The half width of an E at its floor is 0.
func (l Law) Errors() (e, alpha float64) {
	if l.covariance == nil {
		return math.Inf(1), math.Inf(1)
	}
	return l.half(l.covariance.At(0, 0)), l.half(l.covariance.At(2, 2))
}

// Between returns the range in which the loss of a further model of size x lies with the
// probability Confidence, if the law holds there. It counts the law's uncertainty and the
// deviation of a single loss. If the points are too few or don't determine the law, it is E
// to infinity.
func (l Law) Between(x float64) (low, high float64) {
	if l.covariance == nil {
		return l.E, math.Inf(1)
	}
	g := mat.NewVecDense(parameters, l.gradient(x))
	h := l.half(mat.Inner(g, l.covariance, g) + l.deviation*l.deviation)
	return l.At(x) * math.Exp(-h), l.At(x) * math.Exp(h)
}
