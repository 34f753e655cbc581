package finetune

import (
	"context"

	"tinygpt/data/labelled"
	"tinygpt/finetune/linear"
	"tinygpt/finetune/ngram"
)

// Scorer is a model that is no transformer.
type Scorer interface {
	// Scores returns those of an example, [rows, outputs]: a row, or one for each choice or
	// word. They mean what the head's scores mean.
	Scores(e labelled.Example) [][]float64
}

// Outputs is the number of scores that the task's head has for a state.
func (s *Setup) Outputs() int { return tasks[s.Task].head(s).outputs() }

// Labelled returns an item that has the example and its label, but no sequences. Its words
// are where a Scorer has their scores.
func (s *Setup) Labelled(e labelled.Example) (*Item, error) {
	it := &Item{Example: e}
	for i := range e.Tokens {
		it.Words = append(it.Words, i)
	}
	return it, tasks[s.Task].head(s).label(it)
}

// Measure measures a model as fine-tuned models are measured.
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

// Problem is what a linear model over the features is fitted to: the examples' rows and what
// they should give.
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

// FitLinear fits a linear model over the features to the training examples. The strength of
// its regularisation is chosen by the development set, as a fine-tuning chooses its
// checkpoint. progress may be nil; see linear.Problem.
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
