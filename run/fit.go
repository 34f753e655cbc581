package run

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/mem"

	"tinygpt/configs"
	"tinygpt/internal/number"
	"tinygpt/train"
)

// farTooMuch is how many times the computer's memory a training may be estimated to need
// before it is refused. Between one and this, it may still run, slowly, from disk.
const farTooMuch = 4

// checkMemory refuses a training that is far too large for this computer, before
// anything is allocated.
func checkMemory(c configs.Config) error {
	m, err := mem.VirtualMemory()
	if err != nil {
		return nil // a computer that doesn't tell is given the benefit of the doubt
	}
	return fits(c, float64(m.Total))
}

// fits is checkMemory for a computer with total bytes of memory.
func fits(c configs.Config, total float64) error {
	c.Model.VocabSize = max(1, c.Model.VocabSize) // 0 until there is a tokenizer
	// The weights and activations alone, in floating point: the exact estimate would
	// overflow for the sizes that this is about.
	batch, layers, width := float64(c.Train.BatchSize), float64(c.Model.Layers), float64(c.Model.Width)
	context, vocabulary := float64(c.Model.Context), float64(c.Model.VocabSize)
	need := 4 * (4*(12*layers*width*width+(vocabulary+context)*width) + batch*context*(8*layers*width+vocabulary))
	if need < 1e15 {
		need = float64(train.MemoryOf(c.Model, c.Train.BatchSize).Total())
	}
	if need <= farTooMuch*total {
		return nil
	}
	return fmt.Errorf("this training needs about %s of memory, and this computer has %s: lower train.batch_size, model.context, model.width or model.layers; `gpt plan` says what fits", number.Bytes(int64(min(need, 1e18))), number.Bytes(int64(total)))
}
