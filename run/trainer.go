package run

import (
	"context"
	"path/filepath"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/train"
)

// Trainer trains m, a model of the run's, as the run's configuration says, on the
// tokens of both splits of the texts. What it shows and whether it samples is the
// caller's.
func (r *Run) Trainer(m *model.Model, t *Texts, training, validation *data.Stream) (*train.Trainer, error) {
	weights, err := m.Weights(model.Float32)
	if err != nil {
		return nil, err
	}
	c := r.Config
	evaluator := train.NewEvaluator(weights, validation)
	trainer := &train.Trainer{
		Config: c.Train, Model: m, Dir: r.Dir,
		Objective: &train.LanguageModel{
			Text: training, Order: data.Order(c.Data.Windows), Seed: c.Train.Seed, Accumulation: c.Train.GradientAccumulationSteps,
		},
		Floor: t.FloorLoss(len(validation.Tokens) - 1),
		Saved: func(all []train.Metrics) error {
			return DrawLoss(filepath.Join(r.Dir, LossCurveFile), "Cross-entropy, nats per token", all)
		},
	}
	trainer.Validate = func() (train.Evaluation, error) {
		evaluator.Windows = validation.DocumentWindows(trainer.Context())
		return evaluator.Run(context.Background())
	}
	return trainer, nil
}
