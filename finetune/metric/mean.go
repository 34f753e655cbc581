package metric

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// MeanDeviation returns the mean of the values, such as the scores of several seeds, and their
// sample standard deviation, which is 0 for a single value.
func MeanDeviation(values []float64) (mean, deviation float64) {
	mean, deviation = stat.MeanStdDev(values, nil)
	if math.IsNaN(deviation) {
		deviation = 0
	}
	return mean, deviation
}
