package scaling

import (
	"fmt"

	"tinygpt/configs"
	"tinygpt/internal/number"
	"tinygpt/model"
	"tinygpt/train"
)

// headroom is the share of the free memory that a training may be planned with: the
// texts, the program and the garbage collector need some too.
const headroom = 0.9

// planned returns how many bytes a training may be planned with.
func planned(m Machine) int64 { return int64(headroom * float64(m.Available)) }

// Advise returns lines that say whether training with the configuration fits into the free
// memory, and what to change if not. Changes that leave the result as it is come first.
func Advise(c configs.Config, m Machine) (advice []string) {
	say := func(format string, args ...any) { advice = append(advice, fmt.Sprintf(format, args...)) }
	limit, available := planned(m), int64(m.Available)
	batch, accumulation := c.Train.BatchSize, c.Train.GradientAccumulationSteps
	need := c.Train.Memory(c.Model)
	if need.Total() <= limit {
		say("It fits: %s of %s that are free.", number.Bytes(need.Total()), number.Bytes(available))
		return advice
	}
	say("It doesn't fit: %s are needed, and of %s that are free %s can be planned with.", number.Bytes(need.Total()), number.Bytes(available), number.Bytes(limit))
	if smaller := smallerBatch(c, limit); smaller.BatchSize > 0 {
		say("The same updates in %s, of smaller batches: --set train.batch_size=%d --set train.gradient_accumulation_steps=%d",
			number.Bytes(smaller.Memory(c.Model).Total()), smaller.BatchSize, accumulation*(batch/smaller.BatchSize))
		return advice
	}
	sequences := batch * accumulation
	one := c.Train // a sequence at a time
	one.BatchSize = 1
	if m, ok := shorter(c.Model, one, limit); ok {
		say("Even one sequence at a time takes %s. In %s, sequences of %d tokens, as many tokens an update: --set model.context=%d --set train.batch_size=1 --set train.gradient_accumulation_steps=%d",
			number.Bytes(one.Memory(c.Model).Total()), number.Bytes(one.Memory(m).Total()), m.Context, m.Context, sequences*c.Model.Context/m.Context)
	}
	if m, ok := smaller(c.Model, one, limit); ok {
		say("A smaller model, of %s parameters in %s: --set model.layers=%d --set model.width=%d --set model.heads=%d --set train.batch_size=1 --set train.gradient_accumulation_steps=%d",
			count(m.ParameterCount()), number.Bytes(one.Memory(m).Total()), m.Layers, m.Width, m.Heads, sequences)
	}
	if len(advice) == 1 {
		say("Of %s, weights, gradients and optimiser take %s, whatever the batch: this needs another computer, or another vocabulary.", number.Bytes(need.Total()), number.Bytes(need.Parameters()))
	}
	return advice
}

// smallerBatch returns c's training with the largest divisor of its batch whose memory is
// within the limit; a batch of 0 if none is.
func smallerBatch(c configs.Config, limit int64) train.Config {
	t := c.Train
	for t.BatchSize--; t.BatchSize > 0; t.BatchSize-- {
		if c.Train.BatchSize%t.BatchSize == 0 && t.Memory(c.Model).Total() <= limit {
			break
		}
	}
	return t
}

// shortest is the shortest context, in tokens, that is still worth training with.
const shortest = 64

// shorter halves the model's context until training fits into limit bytes; false if it
// doesn't before the context is odd or below shortest.
func shorter(c model.Config, t train.Config, limit int64) (model.Config, bool) {
	for c.Context%2 == 0 && c.Context/2 >= shortest {
		c.Context /= 2
		if t.Memory(c).Total() <= limit {
			return c, true
		}
	}
	return c, false
}

// smaller returns the model with the most layers that fits into limit bytes, with fewer heads
// of the same width if not even one layer fits; false if nothing does.
func smaller(c model.Config, t train.Config, limit int64) (model.Config, bool) {
	head := c.Width / c.Heads
	for heads := c.Heads; heads > 0; heads-- {
		m := c
		m.Heads, m.Width = heads, heads*head
		for m.Layers = c.Layers; m.Layers > 0; m.Layers-- {
			if t.Memory(m).Total() <= limit {
				return m, true
			}
		}
	}
	return c, false
}
