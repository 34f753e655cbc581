package linear

import (
	"context"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Target is what a row is for: its class or grade; or of choices, for the first row the
// right choice and how many rows belong together.
type Target struct {
	Class int
	Grade float64
	Group int // rows from here that one softmax goes over; 0: the row alone
}

// Problem is what a model is fitted to: rows, and what they should give.
type Problem struct {
	Rows    []Row
	Targets []Target // one for each row
	// Outputs is the number of scores of a row.
	Outputs int
	// Grades says that the loss is the squared error, and not cross-entropy.
	Grades bool
}

// strengths are the values of C to choose from.
var strengths = []float64{0.1, 1, 10, 100, 1000}

// Fit minimises the mean loss of the rows plus |weights|²/(2·C·n) over n examples, the bias
// left out, for each of several C. It returns the model with the highest score, the first of
// equal ones. When ctx ends it returns its error.
func (p *Problem) Fit(ctx context.Context, f Features, score func(m *Model) (float64, error)) (*Model, error) {
	var best *Model
	highest := math.Inf(-1)
	weights := make([]float64, (f.Size()+1)*p.Outputs)
	for _, c := range strengths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// Each fit starts from the last one, whose optimum is near.
		var err error
		if weights, err = p.minimise(weights, c); err != nil {
			return nil, err
		}
		m := &Model{Features: f, Outputs: p.Outputs, Weights: make([]float32, len(weights)), C: c}
		for i, w := range weights {
			m.Weights[i] = float32(w)
		}
		s, err := score(m)
		if err != nil {
			return nil, err
		}
		if best == nil || s > highest {
			best, highest = m, s
		}
	}
	return best, nil
}

// minimise finds the weights with the least loss from given ones.
func (p *Problem) minimise(start []float64, c float64) ([]float64, error) {
	var last float64
	gradient := make([]float64, len(start))
	at := []float64(nil)
	// The library asks for value and gradient apart, mostly at the same place.
	both := func(x []float64) float64 {
		if at == nil || !same(at, x) {
			last = p.loss(x, gradient, c)
			at = append(at[:0], x...)
		}
		return last
	}
	result, err := optimize.Minimize(optimize.Problem{
		Func: both,
		Grad: func(grad, x []float64) {
			both(x)
			copy(grad, gradient)
		},
	}, start, &optimize.Settings{
		GradientThreshold: 1e-5, MajorIterations: 300,
		Converger: &optimize.FunctionConverge{Absolute: 1e-9, Relative: 1e-7, Iterations: 5},
	}, &optimize.LBFGS{Store: 10})
	if result == nil {
		return nil, err
	}
	// A line search that finds no way down any more has arrived, to rounding.
	return result.X, nil
}

func same(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// loss is what Fit minimises for that C, and its gradient.
func (p *Problem) loss(weights, gradient []float64, c float64) float64 {
	clear(gradient)
	k := p.Outputs
	scores := make([]float64, k)
	var sum, counted float64
	for i := 0; i < len(p.Rows); i++ {
		t := p.Targets[i]
		counted++
		switch {
		case t.Group > 0:
			group := make([]float64, t.Group)
			for j := range group {
				apply(group[j:j+1], p.Rows[i+j], weights)
			}
			Softmax(group)
			sum -= math.Log(max(group[t.Class], math.SmallestNonzeroFloat64))
			group[t.Class]--
			for j := range group {
				add(gradient, p.Rows[i+j], group[j:j+1])
			}
			i += t.Group - 1
			continue
		case p.Grades:
			apply(scores, p.Rows[i], weights)
			scores[0] -= t.Grade
			sum += scores[0] * scores[0] / 2
		default:
			apply(scores, p.Rows[i], weights)
			Softmax(scores)
			sum -= math.Log(max(scores[t.Class], math.SmallestNonzeroFloat64))
			scores[t.Class]--
		}
		add(gradient, p.Rows[i], scores)
	}
	strength := 1 / (c * counted)
	for i := range gradient {
		gradient[i] /= counted
		if i < len(weights)-k {
			sum += strength * counted * weights[i] * weights[i] / 2
			gradient[i] += strength * weights[i]
		}
	}
	return sum / counted
}

// add is gradient += row ⊗ scores, and scores to the bias.
func add(gradient []float64, r Row, scores []float64) {
	k := len(scores)
	for j, s := range scores {
		gradient[len(gradient)-k+j] += s
	}
	for _, x := range r {
		for j, s := range scores {
			gradient[x.Feature*k+j] += x.Value * s
		}
	}
}

// Softmax turns scores into probabilities, in place.
func Softmax(x []float64) {
	shift, sum := math.Inf(-1), 0.0
	for _, v := range x {
		shift = max(shift, v)
	}
	for i, v := range x {
		x[i] = math.Exp(v - shift)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
