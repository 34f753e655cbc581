package fewshot

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Point is a model's result in a task with a number of shots.
type Point struct {
	Model      string  `json:"model"`
	Parameters int64   `json:"parameters"`
	Seed       uint64  `json:"seed"` // of the model
	Task       string  `json:"task"`
	Shots      int     `json:"shots"`
	Trials     int     `json:"trials"`
	Right      int     `json:"right"`
	Chance     float64 `json:"chance"`          // the accuracy of guessing
	Ideal      float64 `json:"ideal,omitempty"` // the accuracy of the best possible reader; 0: unknown
}

// Accuracy returns the share of right answers, 0 to 1.
func (p Point) Accuracy() float64 { return float64(p.Right) / float64(max(p.Trials, 1)) }

// variance returns the variance of the accuracy: that of a binomial share, with one more right
// and one more wrong answer, so that it isn't 0 where all are right (Agresti and Coull 1998).
func (p Point) variance() float64 {
	n := float64(p.Trials) + 2
	share := (float64(p.Right) + 1) / n
	return share * (1 - share) / n
}

// Measurement says what is measured: each task with each number of shots.
type Measurement struct {
	Tasks  []Task
	Shots  []int // ascending
	Trials int   // of each task; fewer if it has fewer questions
	Seed   uint64
}

// Check returns an error if there is nothing to measure, or a task has too few examples.
func (m Measurement) Check() error {
	if len(m.Shots) == 0 || m.Trials < 1 {
		return fmt.Errorf("nothing to measure: %d numbers of shots, %d trials: expected one or more of each", len(m.Shots), m.Trials)
	}
	for _, t := range m.Tasks {
		if limit := t.MaxShots(); limit >= 0 && m.Shots[len(m.Shots)-1] > limit {
			return fmt.Errorf("%s: %d shots, but apart from the question there are %d examples: give fewer with --shots", t.Name(), m.Shots[len(m.Shots)-1], limit)
		}
	}
	return nil
}

// Run measures a model. It calls found for each point, whose Model, Parameters and Seed it
// leaves empty, and done, unless nil, with how many of all trials are done.
func (m Measurement) Run(ctx context.Context, s *Scorer, found func(Point), done func(trials, of int)) error {
	if err := m.Check(); err != nil {
		return err
	}
	over, all := 0, 0
	for _, t := range m.Tasks {
		all += m.trials(t)
	}
	for _, t := range m.Tasks {
		n := m.trials(t)
		trials := make([]Trial, n)
		for i := range trials {
			trials[i] = t.Trial(m.Seed, i, m.Shots[len(m.Shots)-1])
		}
		answers, err := s.Answer(ctx, trials, m.Shots, func(i int) {
			if done != nil {
				done(over+i, all)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name(), err)
		}
		over += n
		for k, shots := range m.Shots {
			p := Point{Task: t.Name(), Shots: shots, Trials: n}
			for i, trial := range trials {
				if answers[k][i].Choice == trial.Query.Answer {
					p.Right++
				}
				p.Chance += 1 / float64(len(trial.Query.Choices)) / float64(n)
				if trial.Ideal != nil {
					p.Ideal += trial.Ideal[shots] / float64(n)
				}
			}
			found(p)
		}
	}
	return nil
}

// trials returns the number of trials of a task.
func (m Measurement) trials(t Task) int {
	if n := t.Trials(); n >= 0 {
		return min(n, m.Trials)
	}
	return m.Trials
}

// Cell is the accuracy of a model size in a task with a number of shots, over all its
// seeds.
type Cell struct {
	Accuracy float64
	// Margin is two standard errors: that of a binomial share or, if it is larger, that of the
	// accuracies of the seeds.
	Margin        float64
	Chance, Ideal float64 // as in Point
	Seeds         int     // how many
}

// Summary has the models, tasks and numbers of shots of some points, models and shots in
// ascending order.
type Summary struct {
	Models []Model
	Tasks  []string
	Shots  []int
	points []Point
}

// Model is a size of models in a summary.
type Model struct {
	Name       string
	Parameters int64
}

// Points returns the points of the summary.
func (s *Summary) Points() []Point { return s.points }

// Summarise returns the summary of points.
func Summarise(points []Point) *Summary {
	s := &Summary{points: points}
	for _, p := range points {
		if m := (Model{p.Model, p.Parameters}); !slices.Contains(s.Models, m) {
			s.Models = append(s.Models, m)
		}
		if !slices.Contains(s.Tasks, p.Task) {
			s.Tasks = append(s.Tasks, p.Task)
		}
		if !slices.Contains(s.Shots, p.Shots) {
			s.Shots = append(s.Shots, p.Shots)
		}
	}
	slices.SortStableFunc(s.Models, func(a, b Model) int { return int(a.Parameters - b.Parameters) })
	slices.Sort(s.Shots)
	return s
}

// Cell returns the accuracy of a model in a task; ok is false if it wasn't measured.
func (s *Summary) Cell(m Model, task string, shots int) (c Cell, ok bool) {
	var sum, squares, binomial float64
	for _, p := range s.points {
		if p.Model == m.Name && p.Task == task && p.Shots == shots {
			a := p.Accuracy()
			sum, squares, binomial = sum+a, squares+a*a, binomial+p.variance()
			c.Chance, c.Ideal = c.Chance+p.Chance, c.Ideal+p.Ideal
			c.Seeds++
		}
	}
	if c.Seeds == 0 {
		return c, false
	}
	n := float64(c.Seeds)
	c.Accuracy, c.Chance, c.Ideal = sum/n, c.Chance/n, c.Ideal/n
	variance := binomial / n / n
	if c.Seeds > 1 {
		variance = max(variance, (squares/n-c.Accuracy*c.Accuracy)/(n-1))
	}
	c.Margin = 2 * math.Sqrt(variance)
	return c, true
}
