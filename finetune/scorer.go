package finetune

import (
	"context"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
)

// Scorer is a model other than a transformer that predicts labels, such as a linear one.
type Scorer interface {
	// Scores returns the scores of an example, [rows, outputs]: one row, or one for each choice
	// or word. They mean the same as the head's scores.
	Scores(e labelled.Example) [][]float64
}

// Outputs returns the number of scores that the task's head computes from a state.
func (s *Setup) Outputs() int { return tasks[s.Task].head(s).outputs() }

// Labelled returns an item that has the example and its label, but no sequences. Its Words are
// the words' rows in the scores of a Scorer. A label that isn't one of the task's is an error.
func (s *Setup) Labelled(e labelled.Example) (*Item, error) {
	it := &Item{Example: e}
	for i := range e.Tokens {
		it.Words = append(it.Words, i)
	}
	return it, tasks[s.Task].head(s).label(it)
}

// Measure evaluates a model other than a transformer in the same way as fine-tuned models. A
// label that isn't one of the task's is an error.
func (s *Setup) Measure(examples []labelled.Example, m Scorer) (Evaluation, error) {
	items, scores := make([]*Item, len(examples)), make([][]float32, len(examples))
	for i, x := range examples {
		it, err := s.Labelled(x)
		if err != nil {
			return Evaluation{}, err
		}
		items[i] = it
		for _, row := range m.Scores(x) {
			for _, v := range row {
				scores[i] = append(scores[i], float32(v))
			}
		}
	}
	return s.evaluate(items, scores), nil
}

// Problem returns what a linear model over the features is fitted to: the examples' rows and
// labels.
func (s *Setup) Problem(f linear.Features, examples []labelled.Example) (*linear.Problem, error) {
	p := &linear.Problem{Outputs: s.Outputs(), Grades: s.Head == Regression}
	for _, e := range examples {
		it, err := s.Labelled(e)
		if err != nil {
			return nil, err
		}
		rows := f.Rows(e)
		p.Rows = append(p.Rows, rows...)
		for i := range rows {
			t := linear.Target{Class: int(it.Class)}
			switch {
			case p.Grades:
				t.Grade = (it.Grade - s.Mean) / s.Deviation
			case s.Kind() == labelled.Tagged:
				t.Class = int(it.Tags[i])
			case s.Kind() == labelled.Choice && i == 0:
				t.Group = len(rows) // the others are counted with the first
			}
			p.Targets = append(p.Targets, t)
		}
	}
	return p, nil
}

// FitLinear fits a linear model over the features to the training examples. The development set
// chooses the strength of its regularisation, as it chooses the checkpoint of a fine-tuning.
// progress may be nil; see linear.Problem.
func (s *Setup) FitLinear(ctx context.Context, f linear.Features, train, dev []labelled.Example, progress func(done, total int)) (*linear.Model, error) {
	p, err := s.Problem(f, train)
	if err != nil {
		return nil, err
	}
	p.Progress = progress
	return p.Fit(ctx, f, func(m *linear.Model) (float64, error) {
		e, err := s.Measure(dev, m)
		return e.Score(), err
	})
}

// FitNGrams is FitLinear over the n-grams of the training examples.
func (s *Setup) FitNGrams(ctx context.Context, train, dev []labelled.Example, progress func(done, total int)) (*linear.Model, error) {
	return s.FitLinear(ctx, ngram.Learn(s.Kind(), train), train, dev, progress)
}
