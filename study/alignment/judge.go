package alignment

import (
	"context"
	"fmt"

	"tinygpt/align"
	"tinygpt/data/instruct/gold"
)

// Gold judges answers to prompts of the built-in world by what is true.
type Gold struct{}

// Name is "gold".
func (Gold) Name() string { return "gold" }

// Scores are gold's rewards.
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
