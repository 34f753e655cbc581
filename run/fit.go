package run

import (
	"tinygpt/configs"
	"tinygpt/internal/capacity"
	"tinygpt/model"
	"tinygpt/train"
)

// farTooMuch is how many times the computer's memory a training may be estimated to need
// before it is refused. Between one and this, it may still run, slowly, from disk.
const farTooMuch = 4

// check refuses a configuration that is wrong, or whose training is far too large for this
// computer, before anything is allocated.
func check(c configs.Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	c.Model.VocabSize = max(1, c.Model.VocabSize) // 0 until there is a tokenizer
	return CheckMemory(c.Model, "train.batch_size, model.context, model.width or model.layers; `gpt plan` says what fits",
		train.Shape{Batch: c.Train.BatchSize, Context: c.Model.Context})
}

// CheckMemory refuses a training on batches of these shapes that is far too large for this
// computer. lower says what to lower then.
func CheckMemory(m model.Config, lower string, shapes ...train.Shape) error {
	total, err := capacity.Memory()
	if err != nil {
		return nil // a computer that doesn't tell is given the benefit of the doubt
	}
	return fits(m, lower, shapes, total)
}

// fits is CheckMemory for a computer with total bytes of memory.
func fits(m model.Config, lower string, shapes []train.Shape, total float64) error {
	for _, s := range shapes {
		// A sequence's share times their number, in floating point: the exact sum overflows
		// for the sizes that this is about.
		one := train.Config{}.MemoryOfShape(m, train.Shape{Batch: 1, Context: s.Context})
		need := float64(one.Total()-one.Activations) + float64(s.Batch)*float64(one.Activations)
		if err := capacity.Fits("this training", need, farTooMuch, total, "lower "+lower); err != nil {
			return err
		}
	}
	return nil
}
