// Package baseline is what one would take instead of a language model: logistic
// regression over the n-grams of a text, without their order (as in fastText, Joulin
// et al. 2017, or scikit-learn's first tutorial). Grades are predicted by ridge
// regression, choices by a score for each and a softmax over them, tags by the words
// around.
//
// The strength of the regularisation is chosen by the development set, as fine-tuning
// chooses its checkpoint.
package baseline

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"

	"tinygpt/data/labelled"
	"tinygpt/embedding"
	"tinygpt/finetune"
)

// Model is a linear map from features to scores.
type Model struct {
	setup    *finetune.Setup
	kind     labelled.Kind
	features features
	outputs  int
	// weights [F+1, outputs]; the last row is the bias.
	weights []float64
	// C is the inverse strength of the regularisation that was chosen.
	C float64

	// score computes the scores of a row.
	score func(scores []float64, r row)
}

// newModel returns a model of these features without weights.
func newModel(s *finetune.Setup, f features) *Model {
	m := &Model{setup: s, kind: s.Kind(), features: f, outputs: 1}
	if m.kind != labelled.Choice && s.Head != finetune.Regression {
		m.outputs = len(s.Classes)
	}
	m.score = func(scores []float64, r row) { apply(scores, r, m.weights) }
	return m
}

// strengths are the values of C to choose from.
var strengths = []float64{0.1, 1, 10, 100, 1000}

// Train fits a model of n-grams to the training examples; finetune.Load makes the Setup.
func Train(s *finetune.Setup, train, dev []labelled.Example) (*Model, error) {
	return fit(s, learn(s.Kind(), train), train, dev)
}

// TrainAverages fits a model of averaged word vectors: a text is the mean of the unit
// vectors of its words. What n-grams have to learn of each word, vectors bring along from
// the text that they were trained on.
func TrainAverages(s *finetune.Setup, v *embedding.Vectors, train, dev []labelled.Example) (*Model, error) {
	return fit(s, newAverages(v), train, dev)
}

func fit(s *finetune.Setup, f features, train, dev []labelled.Example) (*Model, error) {
	m := newModel(s, f)
	p, err := m.problem(train)
	if err != nil {
		return nil, err
	}
	best := math.Inf(-1)
	var weights []float64
	start := make([]float64, (f.size(m.kind)+1)*m.outputs)
	for _, strength := range strengths {
		p.c = strength
		// Each fit starts from the last one, whose optimum is near.
		if start, err = p.fit(start); err != nil {
			return nil, fmt.Errorf("baseline: %w", err)
		}
		m.weights = start
		e, err := m.Evaluate(dev)
		if err != nil {
			return nil, err
		}
		if e.Score() > best {
			best, weights, m.C = e.Score(), start, strength
		}
	}
	m.weights = weights
	return m, nil
}

// Evaluate measures the model as fine-tuned models are measured.
func (m *Model) Evaluate(examples []labelled.Example) (finetune.Evaluation, error) {
	return m.setup.Measure(examples, m.Predict(examples))
}

// Predict says what the model makes of each example.
func (m *Model) Predict(examples []labelled.Example) []finetune.Prediction {
	out := make([]finetune.Prediction, len(examples))
	scores := make([]float64, m.outputs)
	for i, e := range examples {
		p := &out[i]
		var choices []float64
		for _, r := range m.features.rows(m.kind, e) {
			m.score(scores, r)
			switch {
			case m.kind == labelled.Choice:
				choices = append(choices, scores[0])
			case m.setup.Head == finetune.Regression:
				p.Grade = m.setup.Mean + m.setup.Deviation*scores[0]
			case m.kind == labelled.Tagged:
				softmax(scores)
				tag := largest(scores)
				p.Tags, p.Confidence = append(p.Tags, tag), append(p.Confidence, scores[tag])
			default:
				softmax(scores)
				p.Class, p.Probabilities = largest(scores), append([]float64{}, scores...)
			}
		}
		if choices != nil {
			softmax(choices)
			p.Class, p.Probabilities = largest(choices), choices
		}
	}
	return out
}

// apply is scores = weightsᵀ·row + bias.
func apply(scores []float64, r row, weights []float64) {
	k := len(scores)
	copy(scores, weights[len(weights)-k:])
	for _, x := range r {
		for j, w := range weights[x.feature*k : x.feature*k+k] {
			scores[j] += x.value * w
		}
	}
}

// problem is the loss of weights on the training rows.
type problem struct {
	rows    []row
	targets []target
	outputs int
	c       float64
	grades  bool
}

// target is what a row is for: its class or grade; or of choices, for the right one,
// how many rows belong together, and for the others none.
type target struct {
	class int
	grade float64
	group int // rows from here that one softmax goes over; 0: the row alone
}

// problem collects the rows of the examples and what they should give.
func (m *Model) problem(examples []labelled.Example) (*problem, error) {
	p := &problem{outputs: m.outputs, grades: m.setup.Head == finetune.Regression}
	for _, e := range examples {
		it, err := m.setup.Labelled(e)
		if err != nil {
			return nil, err
		}
		rows := m.features.rows(m.kind, e)
		p.rows = append(p.rows, rows...)
		for i := range rows {
			t := target{class: int(it.Class)}
			switch {
			case p.grades:
				t.grade = (it.Grade - m.setup.Mean) / m.setup.Deviation
			case m.kind == labelled.Tagged:
				t.class = int(it.Tags[i])
			case m.kind == labelled.Choice && i == 0:
				t.group = len(rows)
			case m.kind == labelled.Choice:
				t.group = -1 // counted with the first
			}
			p.targets = append(p.targets, t)
		}
	}
	return p, nil
}

// fit minimises the loss with L-BFGS from given weights.
func (p *problem) fit(start []float64) ([]float64, error) {
	var last float64
	gradient := make([]float64, len(start))
	at := []float64(nil)
	// The library asks for value and gradient apart, mostly at the same place.
	both := func(x []float64) float64 {
		if at == nil || !same(at, x) {
			last = p.loss(x, gradient)
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

// loss is the mean loss of the rows plus |weights|²/(2·c·n), the bias left out, and
// its gradient.
func (p *problem) loss(weights, gradient []float64) float64 {
	clear(gradient)
	k := p.outputs
	scores := make([]float64, k)
	var sum, counted float64
	for i := 0; i < len(p.rows); i++ {
		t := p.targets[i]
		counted++
		switch {
		case t.group > 0:
			group := make([]float64, t.group)
			for j := range group {
				apply(group[j:j+1], p.rows[i+j], weights)
			}
			softmax(group)
			sum -= math.Log(max(group[t.class], math.SmallestNonzeroFloat64))
			group[t.class]--
			for j := range group {
				add(gradient, p.rows[i+j], group[j:j+1])
			}
			i += t.group - 1
			continue
		case p.grades:
			apply(scores, p.rows[i], weights)
			scores[0] -= t.grade
			sum += scores[0] * scores[0] / 2
		default:
			apply(scores, p.rows[i], weights)
			softmax(scores)
			sum -= math.Log(max(scores[t.class], math.SmallestNonzeroFloat64))
			scores[t.class]--
		}
		add(gradient, p.rows[i], scores)
	}
	strength := 1 / (p.c * counted)
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
func add(gradient []float64, r row, scores []float64) {
	k := len(scores)
	for j, s := range scores {
		gradient[len(gradient)-k+j] += s
	}
	for _, x := range r {
		for j, s := range scores {
			gradient[x.feature*k+j] += x.value * s
		}
	}
}

func softmax(x []float64) {
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

func largest(x []float64) (best int) {
	for i := range x {
		if x[i] > x[best] {
			best = i
		}
	}
	return best
}
