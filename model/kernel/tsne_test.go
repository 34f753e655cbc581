package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The forces are those of their definition in float64, in any number of points, and have
// the same bits on any number of threads.
func TestStudentForces(t *testing.T) {
	defer SetThreads(Threads())
	eachInstructionSet(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 7, 8, 9, 16, 17, 33, 100} {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(n), 1))
				points, p := make([]float32, 2*n), make([]float32, n*n)
				for i := range points {
					points[i] = float32(3 * r.NormFloat64())
				}
				for i := range p {
					p[i] = r.Float32()
				}
				attract, repel := make([]float32, 2*n), make([]float32, 2*n)
				z := StudentForces(attract, repel, points, p, n)
				want, wantZ := make([]float64, 4*n), 0.0
				for i := range n {
					for j := range n {
						dx, dy := float64(points[i])-float64(points[j]), float64(points[n+i])-float64(points[n+j])
						q := 1 / (1 + dx*dx + dy*dy)
						if i != j {
							wantZ += q
						}
						w := float64(p[i*n+j]) * q
						for k, f := range []float64{w * dx, w * dy, q * q * dx, q * q * dy} {
							want[k*n+i] += f
						}
					}
				}
				if math.Abs(z-wantZ) > 1e-5*float64(n) {
					t.Errorf("sum of q %v, want %v", z, wantZ)
				}
				for i, got := range slices.Concat(attract, repel) {
					if math.Abs(float64(got)-want[i]) > 1e-5*(1+math.Abs(want[i])) {
						t.Errorf("force %d of %d points: %v, want %v", i, n, got, want[i])
					}
				}
				for _, threads := range []int{1, 3} {
					SetThreads(threads)
					again, also := make([]float32, 2*n), make([]float32, 2*n)
					if StudentForces(again, also, points, p, n) != z || !slices.Equal(again, attract) || !slices.Equal(also, repel) {
						t.Errorf("other bits with %d threads", threads)
					}
				}
			})
		}
	})
}

func BenchmarkStudentForces(b *testing.B) {
	const n = 1000
	points, p := make([]float32, 2*n), make([]float32, n*n)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range points {
		points[i] = float32(20 * r.NormFloat64())
	}
	attract, repel := make([]float32, 2*n), make([]float32, 2*n)
	b.ReportAllocs()
	for b.Loop() {
		StudentForces(attract, repel, points, p, n)
	}
}
