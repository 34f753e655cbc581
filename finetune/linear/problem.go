package linear

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"

	"tinygpt/internal/capacity"
	"tinygpt/internal/number"
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
	// Progress, unless nil, is called during Fit with how many of the models are fitted.
	Progress func(done, total int)
}

// strengths are the values of C to choose from.
var strengths = []float64{0.1, 1, 10, 100, 1000}

// iterations is how many past ones L-BFGS takes the curvature of the loss from.
const iterations = 10

// Fit minimises the mean loss of the rows plus |weights|²/(2·C·n) over n examples, the bias
// left out, for each of several C. It returns the model with the highest score, the first of
// equal ones. When ctx ends it returns its error.
func (p *Problem) Fit(ctx context.Context, f Features, score func(m *Model) (float64, error)) (*Model, error) {
	// L-BFGS keeps two vectors for each of its last iterations, and about eight more.
	numbers := (f.Size() + 1) * p.Outputs
	what := fmt.Sprintf("fitting a linear model of %s features with %d scores", number.Thousands(f.Size()), p.Outputs)
	if err := capacity.Check(what, 8*float64(numbers)*(2*iterations+8), 1, "learn from fewer examples, or leave the n-grams out (finetune.ngrams)"); err != nil {
		return nil, err
	}
	var best *Model
	highest := math.Inf(-1)
	weights := make([]float64, numbers)
	l := p.newLoss(f.Size())
	for i, c := range strengths {
		if p.Progress != nil {
			p.Progress(i, len(strengths))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// Each fit starts from the last one, whose optimum is near.
		var err error
		if weights, err = l.minimise(weights, c); err != nil {
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
	if p.Progress != nil {
		p.Progress(len(strengths), len(strengths))
	}
	return best, nil
}

// minimise finds the weights with the least loss from given ones.
func (l *loss) minimise(start []float64, c float64) ([]float64, error) {
	var last float64
	gradient := make([]float64, len(start))
	at := []float64(nil)
	// The library asks for value and gradient apart, mostly at the same place.
	both := func(x []float64) float64 {
		if at == nil || !same(at, x) {
			last = l.at(x, gradient, c)
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
	}, &optimize.LBFGS{Store: iterations})
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
