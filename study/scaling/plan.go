package scaling

import (
	"fmt"

	"tinygpt/configs"
	"tinygpt/internal/number"
)

// PlanSection returns the estimate of a training with configuration c, whose VocabSize must
// be set, on a machine of the given speed and memory and on an accelerator.
func PlanSection(name, source string, c configs.Config, here Speed, a Accelerator, m Machine) Section {
	t := c.Train
	perUpdate := float64(t.BatchSize) * float64(t.GradientAccumulationSteps) * float64(c.Model.Context)
	tokens, flop, seconds := 0.0, 0.0, 0.0
	var notes []string
	phases := t.Phases(c.Model)
	for i, p := range phases {
		part := c.Model
		part.Layers = p.Layers
		steps := float64(p.Steps)
		tokens += steps * float64(p.Batch) * float64(p.Context) * float64(t.GradientAccumulationSteps)
		flop += steps * p.StepFLOP
		took := here.Seconds(steps, p.StepFLOP, part.ParameterCount())
		seconds += took
		if len(phases) > 1 {
			notes = append(notes, fmt.Sprintf("Stage %d of %d: %s updates of %d layers, %d sequences of %s tokens at a time: %s.",
				i+1, len(phases), number.Count(steps), p.Layers, p.Batch, number.Count(float64(p.Context)), number.Span(took)))
		}
	}
	e := NewEstimate(name, c.Model, t, tokens)
	e.BatchSize, e.Rate, e.FLOP = perUpdate, t.LearningRate, flop
	e = e.On(here.FLOPS, a)
	e.SecondsHere = seconds
	return Section{
		Title: "Configuration: " + source,
		Rows:  []Estimate{e},
		Notes: append([]string{
			fmt.Sprintf("%s updates of %s tokens (%d sequences of %s at a time%s); %.1f tokens per parameter. Times are without evaluations and samples.",
				number.Count(float64(t.Steps)), number.Count(perUpdate), t.BatchSize, number.Count(float64(c.Model.Context)), times(t.GradientAccumulationSteps), e.Tokens/float64(e.Parameters)),
		}, notes...),
		Advice: Advise(c, m),
	}
}

// times returns how many batches an update has, as words after the batch; "" for one.
func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(", %d times", n)
}
