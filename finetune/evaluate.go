package finetune

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"tinygpt/finetune/metric"
	"tinygpt/train"
)

// Metrics are the names of all metrics.
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
	// Metrics has every metric that fits the task, by name. Metric is the name of the one that
	// decides; see Config.MetricName.
	Metric  string
	Metrics map[string]float64
	// Confusion has the counts of true and predicted classes; nil for grades and choices.
	Confusion *metric.Confusion
	// Entities has the counts of entities, if Metric is span_f1.
	Entities metric.Entities
	// Worst are the examples with the highest loss, the worst first.
	Worst []Judged
}

// Judged is an example with the prediction for it and the prediction's loss.
type Judged struct {
	*Item
	Prediction Prediction
	Loss       float64
}

// Score returns the metric that decides.
func (e Evaluation) Score() float64 { return e.Metrics[e.Metric] }

// Train returns the evaluation in the form that the trainer takes.
func (e Evaluation) Train() train.Evaluation {
	return train.Evaluation{Loss: e.Loss, Metric: e.Metric, Score: e.Score()}
}

// worstExamples is the maximum length of Evaluation.Worst.
const worstExamples = 10

// Evaluate measures the predictor on items with labels. The end of ctx is an error.
func (p *Predictor) Evaluate(ctx context.Context, items []*Item) (Evaluation, error) {
	scores, err := p.Scores(ctx, items)
	if err != nil {
		return Evaluation{}, err
	}
	return p.setup.evaluate(items, scores), nil
}

// evaluate measures the scores of items with labels, see Predictor.Scores.
func (s *Setup) evaluate(items []*Item, scores [][]float32) Evaluation {
	e := Evaluation{Examples: len(items), Metric: s.MetricName(), Metrics: map[string]float64{}}
	head := tasks[s.Task].head(s)
	judged := make([]Judged, len(items))
	for i, it := range items {
		judged[i] = Judged{it, head.predict(it, scores[i]), head.cost(it, scores[i])}
		e.Loss += judged[i].Loss / float64(len(items))
	}
	head.measure(&e, judged)
	slices.SortStableFunc(judged, func(a, b Judged) int { return cmp.Compare(b.Loss, a.Loss) })
	e.Worst = judged[:min(worstExamples, len(judged))]
	return e
}

// countClasses computes the metrics of predicted classes.
func (e *Evaluation) countClasses(names []string, truth, predicted []int) {
	e.Confusion = metric.NewConfusion(names, truth, predicted)
	e.Metrics["accuracy"] = e.Confusion.Accuracy()
	e.Metrics["macro_f1"] = e.Confusion.MacroF1()
	e.Metrics["matthews"] = e.Confusion.Matthews()
}

// String returns one line: every metric, the one that decides first, and the loss.
func (e Evaluation) String() string {
	var out []string
	for _, name := range append([]string{e.Metric}, Metrics...) {
		if v, ok := e.Metrics[name]; ok && (len(out) == 0 || name != e.Metric) {
			out = append(out, fmt.Sprintf("%s %.4f", strings.ReplaceAll(name, "_", "-"), v))
		}
	}
	return fmt.Sprintf("%s, loss %.4f, %d examples", strings.Join(out, ", "), e.Loss, e.Examples)
}
