// Package project maps vectors of many numbers to points of a plane, so that they can be
// looked at: PCA, which is a linear projection, and t-SNE, which keeps neighbours together.
package project

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Matrix is n rows of d numbers, row-major.
type Matrix struct {
	Rows, Dim int
	Values    []float32
}

// Row returns row i, a part of Values.
func (m Matrix) Row(i int) []float32 { return m.Values[i*m.Dim : (i+1)*m.Dim] }

// Point is a place in the plane.
type Point struct{ X, Y float64 }

// PCA returns each row's coordinates along the two orthogonal directions of the largest
// variance (Pearson 1901), and the share of the variance in each, 0 to 1. The component of a
// direction with the largest absolute value is positive. Fewer than two rows, fewer than two
// numbers a row, and numbers that aren't finite are errors.
func PCA(m Matrix) (points []Point, shares [2]float64, err error) {
	if m.Rows < 2 || m.Dim < 2 {
		return nil, shares, fmt.Errorf("PCA of %d vectors of %d numbers: expected at least two vectors of two numbers", m.Rows, m.Dim)
	}
	rows := mat.NewDense(m.Rows, m.Dim, nil)
	means := make([]float64, m.Dim)
	for i := range m.Rows {
		for j, x := range m.Row(i) {
			rows.Set(i, j, float64(x))
			means[j] += float64(x) / float64(m.Rows)
		}
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, rows, nil)
	var eigen mat.EigenSym
	if !eigen.Factorize(&covariance, true) {
		return nil, shares, fmt.Errorf("no principal components found: a number isn't finite")
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	var total float64
	for _, v := range values {
		total += max(v, 0)
	}
	points = make([]Point, m.Rows)
	for c := range 2 {
		column := m.Dim - 1 - c
		direction := mat.Col(nil, column, &vectors)
		largest := 0.0
		for _, x := range direction {
			if math.Abs(x) > math.Abs(largest) {
				largest = x
			}
		}
		sign := math.Copysign(1, largest)
		if total > 0 {
			shares[c] = max(values[column], 0) / total
		}
		for i := range points {
			var sum float64
			for j, x := range m.Row(i) {
				sum += sign * direction[j] * (float64(x) - means[j])
			}
			if c == 0 {
				points[i].X = sum
			} else {
				points[i].Y = sum
			}
		}
	}
	return points, shares, nil
}
