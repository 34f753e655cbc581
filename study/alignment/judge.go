package alignment

import (
	"context"
	"fmt"

	"tinygpt/align"
	"tinygpt/data/instruct/gold"
)

// Gold judges answers to prompts of the built-in world, whose facts it knows.
type Gold struct{}

// Name returns "gold".
func (Gold) Name() string { return "gold" }

// Scores returns the gold scores. A prompt that isn't of the built-in world is an error.
func (Gold) Scores(_ context.Context, list []align.Instruction, answers []align.Answer) ([]float64, error) {
	scores := make([]float64, len(list))
	for i := range list {
		if list[i].World == nil {
			return nil, fmt.Errorf("prompt %d isn't of the built-in world: gold can't judge it", i+1)
		}
		scores[i] = gold.Judge(list[i].World, answers[i].Text).Reward
	}
	return scores, nil
}
