package finetune

import (
	"math"

	G "gorgonia.org/gorgonia"

	"tinygpt/finetune/metric"
	"tinygpt/model"
)

// grades is the head of regression: one score, the standardised grade
// (grade − mean) / deviation with the mean and standard deviation of the training grades,
// and the squared error.
type grades struct{ mean, deviation float64 }

func (h *grades) outputs() int { return 1 }

func (h *grades) label(it *Item) (err error) {
	it.Grade, err = it.Example.Number()
	return err
}

func (h *grades) labels(*Item) int { return 1 }

// standard returns the standardised grade, which the head learns.
func (h *grades) standard(grade float64) float64 { return (grade - h.mean) / h.deviation }

func (h *grades) loss(g *model.Graph, scores *G.Node, _ *Batches) (*G.Node, func([]batchItem)) {
	node, targets := g.Floats("grades", scores.Shape()[0])
	return g.SquaredError(scores, node), func(batch []batchItem) {
		for i := range targets {
			targets[i] = float32(math.NaN())
		}
		for i, it := range batch {
			targets[i] = float32(h.standard(it.Grade))
		}
	}
}

func (h *grades) cost(it *Item, scores []float32) float64 {
	d := float64(scores[0]) - h.standard(it.Grade)
	return d * d
}

func (h *grades) predict(_ *Item, scores []float32) Prediction {
	return Prediction{Grade: h.mean + h.deviation*float64(scores[0])}
}

func (h *grades) metrics() []string { return []string{"pearson", "spearman"} }

func (h *grades) measure(e *Evaluation, judged []Judged) {
	var truth, predicted []float64
	for _, j := range judged {
		truth, predicted = append(truth, j.Grade), append(predicted, j.Prediction.Grade)
	}
	e.Metrics["pearson"], e.Metrics["spearman"] = metric.Pearson(truth, predicted), metric.Spearman(truth, predicted)
}
