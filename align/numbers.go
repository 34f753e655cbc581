package align

import "math"

// sum returns the sum of x.
func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// mean returns the mean of x, 0 if it is empty.
func mean(x []float64) float64 { return sum(x) / float64(max(len(x), 1)) }

// variance returns the mean squared distance of x from its mean.
func variance(x []float64) (v float64) {
	m := mean(x)
	for _, a := range x {
		v += (a - m) * (a - m) / float64(len(x))
	}
	return v
}

// correlation returns Pearson's correlation of x and y, 0 if one of them doesn't vary.
func correlation(x, y []float64) (r float64) {
	mx, my := mean(x), mean(y)
	for i := range x {
		r += (x[i] - mx) * (y[i] - my)
	}
	d := math.Sqrt(variance(x)*variance(y)) * float64(len(x))
	if d < 1e-12 {
		return 0
	}
	return r / d
}

// fill sets all of x to v.
func fill(x []float64, v float64) {
	for i := range x {
		x[i] = v
	}
}
