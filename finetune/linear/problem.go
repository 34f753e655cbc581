package linear

import (
	"context"
	"fmt"
	"gonum.org/v1/gonum/optimize"
	"math"
	"slices"

	"tinygpt/internal/capacity"
	"tinygpt/internal/number"
)

// Target is the label of a row: its class or its grade. The choices of an example are
// consecutive rows; the target of the first has the right choice and their number.
type Target struct {
	Class int     // the class, or the index of the right choice
	Grade float64 // standardised
	Group int     // of the first choice, the number of choices; of other rows 0
}

// Problem is the rows and labels that a model is fitted to.
type Problem struct {
	Rows    []Row
	Targets []Target // one for each row
	// Outputs is the number of scores of a row.
	Outputs int
	// Grades says that the loss is half the squared error; otherwise it is the cross-entropy.
	Grades bool
	// Progress, unless nil, is called during Fit with how many of the models are fitted.
	Progress func(done, total int)
}

// strengths are the values of C that Fit tries.
var strengths = []float64{0.1, 1, 10, 100, 1000}

// iterations is the number of past iterations from which L-BFGS estimates the curvature.
const iterations = 10

// Fit minimises the mean loss of n examples plus |weights|²/(2·C·n), where the bias doesn't
// count as a weight, for each of several C. It returns the model with the highest score, the
// first of equal ones. An error of score ends it, and so do the end of ctx and too little
// memory.
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

// minimise returns the weights with the smallest loss for a C, starting from start.
func (l *loss) minimise(start []float64, c float64) ([]float64, error) {
	var last float64
	gradient := make([]float64, len(start))
	var at []float64 // where last and gradient were computed
	// The library asks for value and gradient separately, mostly at the same place.
	both := func(x []float64) float64 {
		if !slices.Equal(at, x) {
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
	// A line search that finds no smaller loss is an error for the library, but it means that
	// the weights are at the minimum, up to rounding.
	return result.X, nil
}
