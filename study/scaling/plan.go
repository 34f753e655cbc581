package scaling

import (
	"fmt"

	"tinygpt/configs"
	"tinygpt/internal/number"
)

// PlanSection is about a training with a configuration, whose model has its vocabulary, on
// a machine of that speed and memory.
func PlanSection(name, source string, c configs.Config, here Speed, a Accelerator, m Machine) Section {
	t := c.Train
	perUpdate := float64(t.BatchSize * t.GradientAccumulationSteps * c.Model.Context)
	e := NewEstimate(name, c.Model, t.BatchSize, perUpdate*float64(t.Steps))
	e.BatchSize, e.Rate = perUpdate, t.LearningRate
	e = e.On(here.FLOPS, a)
	e.SecondsHere = here.Seconds(float64(t.Steps), perUpdate*e.FLOPPerToken, e.Parameters)
	return Section{
		Title: "Configuration: " + source,
		Rows:  []Estimate{e},
		Notes: []string{
			fmt.Sprintf("%s updates of %s tokens (%d sequences of %s at once, %d times); %.1f tokens per parameter. Times are without evaluations and samples.",
				number.Count(float64(t.Steps)), number.Count(perUpdate), t.BatchSize, number.Count(float64(c.Model.Context)), t.GradientAccumulationSteps, e.Tokens/float64(e.Parameters)),
		},
		Advice: Advise(c, m),
	}
}
