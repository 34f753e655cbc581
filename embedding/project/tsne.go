package project

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"tinygpt/model/kernel"
)

// TSNE has the settings of t-SNE (van der Maaten and Hinton 2008, Visualizing Data using
// t-SNE). The gradient is exact: time and memory grow with the square of the number of rows.
type TSNE struct {
	// Perplexity is about how many neighbours each row has (section 2).
	Perplexity float64
	// Iterations is the number of steps; in the first ExaggerationSteps of them p is
	// multiplied by Exaggeration (section 3.4), so that clusters form.
	Iterations, ExaggerationSteps int
	Exaggeration                  float64
	// LearningRate is the size of a step; 0 is rows/(4·Exaggeration), 50 or more
	// (Belkina et al. 2019).
	LearningRate float64
	// Start has the first places, which are scaled to a standard deviation of 1e-4 along x. If
	// it is nil, they are drawn from a normal distribution with Seed.
	Seed  uint64
	Start []Point
	// Progress, unless nil, is called after each step.
	Progress func(step, steps int)
}

// DefaultTSNE returns the settings that are usual today: those of the paper, with the longer
// and stronger early exaggeration of van der Maaten 2014, section 5.
func DefaultTSNE() TSNE {
	return TSNE{Perplexity: 30, Iterations: 1000, ExaggerationSteps: 250, Exaggeration: 12, Seed: 1}
}

// MaxRows is the maximum number of rows of t-SNE: their similarities take a gigabyte.
const MaxRows = 16000

// entropyTolerance is how far a row's entropy may be from log(perplexity), in nats.
const entropyTolerance = 1e-5

// Momentum and the adaptation of each coordinate's rate (section 3.4; Jacobs 1988, with the
// constants of the authors' program).
const (
	momentumFirst = 0.5 // during early exaggeration
	momentum      = 0.8
	gainUp        = 0.2
	gainDown      = 0.8
	gainMin       = 0.01
)

// validate checks the settings for n rows.
func (t TSNE) validate(n int) error {
	switch {
	case n < 3:
		return fmt.Errorf("t-SNE of %d vectors: expected three or more", n)
	case n > MaxRows:
		return fmt.Errorf("t-SNE of %d vectors: expected at most %d", n, MaxRows)
	case !(t.Perplexity >= 1) || t.Perplexity >= float64(n-1):
		return fmt.Errorf("perplexity %v of %d vectors: expected 1 or more, and less than %d", t.Perplexity, n, n-1)
	case t.Iterations < 1 || t.ExaggerationSteps < 0:
		return fmt.Errorf("%d iterations, %d of them with exaggeration: expected 1 or more, and 0 or more", t.Iterations, t.ExaggerationSteps)
	case !(t.Exaggeration >= 1) || math.IsInf(t.Exaggeration, 0):
		return fmt.Errorf("exaggeration %v: expected 1 or more", t.Exaggeration)
	case !(t.LearningRate >= 0) || math.IsInf(t.LearningRate, 0):
		return fmt.Errorf("learning rate %v: expected a positive number, or 0 for one that fits", t.LearningRate)
	case t.Start != nil && len(t.Start) != n:
		return fmt.Errorf("a start of %d points for %d vectors: expected a point for each", len(t.Start), n)
	}
	return nil
}

// Run returns a point for each row, and their cost: the Kullback-Leibler divergence of the
// neighbourhoods in the plane from those of the rows, in nats. The same settings give the same
// points, whatever the number of threads. Settings that don't fit the rows are errors, and so
// is the end of ctx.
func (t TSNE) Run(ctx context.Context, m Matrix) ([]Point, float64, error) {
	n := m.Rows
	if err := t.validate(n); err != nil {
		return nil, 0, err
	}
	p := similarities(m, t.Perplexity)
	place := t.start(n) // [2n]: all x, all y
	rate := t.LearningRate
	if rate == 0 {
		rate = max(float64(n)/t.Exaggeration/4, 50)
	}
	points, attract, repel := make([]float32, 2*n), make([]float32, 2*n), make([]float32, 2*n)
	velocity, gain := make([]float64, 2*n), make([]float64, 2*n)
	for i := range gain {
		gain[i] = 1
	}
	for step := range t.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		exaggeration, keep := 1.0, momentum
		if step < t.ExaggerationSteps {
			exaggeration, keep = t.Exaggeration, momentumFirst
		}
		narrow(points, place)
		z := kernel.StudentForces(attract, repel, points, p, n)
		for i := range place {
			gradient := 4 * (exaggeration*float64(attract[i]) - float64(repel[i])/z)
			if gradient*velocity[i] < 0 { // the last step went down this slope
				gain[i] += gainUp
			} else {
				gain[i] = max(gain[i]*gainDown, gainMin)
			}
			velocity[i] = keep*velocity[i] - rate*gain[i]*gradient
			place[i] += velocity[i]
		}
		center(place)
		if t.Progress != nil {
			t.Progress(step+1, t.Iterations)
		}
	}
	return turned(place), cost(p, place, n), nil
}

// turned returns the points, rotated about their mean so that their variance along x is
// largest: no distance changes, and pictures are wider than high.
func turned(place []float64) []Point {
	n := len(place) / 2
	var xx, xy, yy float64
	for i := range n {
		x, y := place[i], place[n+i]
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
	}
	sin, cos := math.Sincos(math.Atan2(2*xy, xx-yy) / 2)
	out := make([]Point, n)
	for i := range out {
		x, y := place[i], place[n+i]
		out[i] = Point{cos*x + sin*y, cos*y - sin*x}
	}
	return out
}

// narrow rounds from to float32.
func narrow(to []float32, from []float64) {
	for i, x := range from {
		to[i] = float32(x)
	}
}

// start returns the first places, [2n]: all x, then all y.
func (t TSNE) start(n int) []float64 {
	const deviation = 1e-4
	place := make([]float64, 2*n)
	if t.Start == nil {
		r := rand.New(rand.NewPCG(t.Seed, 0))
		for i := range place {
			place[i] = deviation * r.NormFloat64()
		}
		return place
	}
	var sum, squares float64
	for _, p := range t.Start {
		sum += p.X
		squares += p.X * p.X
	}
	mean := sum / float64(n)
	scale := deviation / math.Sqrt(max(squares/float64(n)-mean*mean, math.SmallestNonzeroFloat64))
	for i, p := range t.Start {
		place[i], place[n+i] = scale*p.X, scale*p.Y
	}
	return place
}

// center moves the points so that their mean is 0.
func center(place []float64) {
	n := len(place) / 2
	for _, axis := range [][]float64{place[:n], place[n:]} {
		var sum float64
		for _, x := range axis {
			sum += x
		}
		for i := range axis {
			axis[i] -= sum / float64(n)
		}
	}
}

// cost returns Σ p·log(p/q) over all pairs of rows, where q is (1 + |a − b|²)⁻¹ of their
// places, divided by the sum over all pairs (equations 2 and 4).
func cost(p []float32, place []float64, n int) float64 {
	x, y := place[:n], place[n:]
	var sum, all, entropy, logs float64
	for i := range n {
		for j := range n {
			if i == j {
				continue
			}
			dx, dy := x[i]-x[j], y[i]-y[j]
			d := 1 + dx*dx + dy*dy
			sum += 1 / d
			if w := float64(p[i*n+j]); w > 0 {
				all += w
				entropy += w * math.Log(w)
				logs += w * math.Log(d)
			}
		}
	}
	return entropy + logs + all*math.Log(sum)
}
