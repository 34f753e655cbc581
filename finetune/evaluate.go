package finetune

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tinygpt/data/labelled"
	"tinygpt/finetune/metric"
	"tinygpt/train"
)

// Metrics are what predictions can be measured by.
var Metrics = []string{"accuracy", "macro_f1", "matthews", "pearson", "spearman", "span_f1"}

// MetricName returns the metric that decides about early stopping and the best checkpoint.
func (c Config) MetricName() string {
	if c.Metric != "" {
		return c.Metric
	}
	return tasks[c.Task].head(&Setup{Config: c}).metrics()[0]
}

// Evaluation is how well the labels of a set are predicted.
type Evaluation struct {
	Examples int
	Loss     float64 // the mean loss of the head, L2
	// Metrics has every metric that fits the task, by name; Metric is the one that
	// counts.
	Metric  string
	Metrics map[string]float64
	// Confusion counts classes; nil for grades and choices.
	Confusion *metric.Confusion
	// Entities counts the entities of tagging.
	Entities metric.Entities
	// Worst are the examples with the highest loss, the worst first.
	Worst []Judged
}

// Judged is an example, the prediction for it, and the loss.
type Judged struct {
	*Item
	Prediction Prediction
	Loss       float64
}

// Score is the metric that counts.
func (e Evaluation) Score() float64 { return e.Metrics[e.Metric] }

// Train returns the evaluation in the form that the trainer takes.
func (e Evaluation) Train() train.Evaluation {
	return train.Evaluation{Loss: e.Loss, Metric: e.Metric, Score: e.Score()}
}

// worstExamples is how many an evaluation keeps.
const worstExamples = 10

// Evaluate measures the predictor on items with labels. When ctx ends it returns its error.
func (p *Predictor) Evaluate(ctx context.Context, items []*Item) (Evaluation, error) {
	e := Evaluation{Examples: len(items), Metric: p.setup.MetricName(), Metrics: map[string]float64{}}
	scores, err := p.Scores(ctx, items)
	if err != nil {
		return e, err
	}
	judged := make([]Judged, len(items))
	for i, it := range items {
		judged[i] = Judged{it, p.head.predict(it, scores[i]), p.head.cost(it, scores[i])}
		e.Loss += judged[i].Loss / float64(len(items))
	}
	p.head.measure(&e, judged)
	slices.SortStableFunc(judged, func(a, b Judged) int { return cmp.Compare(b.Loss, a.Loss) })
	e.Worst = judged[:min(worstExamples, len(judged))]
	return e, nil
}

// Labelled returns an item that has the example and its label, but no sequences.
func (s *Setup) Labelled(e labelled.Example) (*Item, error) {
	it := &Item{Example: e}
	return it, tasks[s.Task].head(s).label(it)
}

// Measure measures predictions that are another model's; their loss isn't known.
func (s *Setup) Measure(examples []labelled.Example, predictions []Prediction) (Evaluation, error) {
	e := Evaluation{Examples: len(examples), Metric: s.MetricName(), Metrics: map[string]float64{}}
	var judged []Judged
	for i, x := range examples {
		it, err := s.Labelled(x)
		if err != nil {
			return e, err
		}
		judged = append(judged, Judged{Item: it, Prediction: predictions[i]})
	}
	tasks[s.Task].head(s).measure(&e, judged)
	return e, nil
}

// countClasses computes the metrics of predicted classes.
func (e *Evaluation) countClasses(names []string, truth, predicted []int) {
	e.Confusion = metric.NewConfusion(names, truth, predicted)
	e.Metrics["accuracy"] = e.Confusion.Accuracy()
	e.Metrics["macro_f1"] = e.Confusion.MacroF1()
	e.Metrics["matthews"] = e.Confusion.Matthews()
}

// String is one line: every metric, the one that counts first, and the loss.
func (e Evaluation) String() string {
	var out []string
	for _, name := range append([]string{e.Metric}, Metrics...) {
		if v, ok := e.Metrics[name]; ok && (len(out) == 0 || name != e.Metric) {
			out = append(out, fmt.Sprintf("%s %.4f", strings.ReplaceAll(name, "_", "-"), v))
		}
	}
	if e.Loss > 0 { // the loss of another kind of model isn't known
		out = append(out, fmt.Sprintf("loss %.4f", e.Loss))
	}
	return fmt.Sprintf("%s, %d examples", strings.Join(out, ", "), e.Examples)
}
