package train

import (
	"context"
	"math"
	"runtime"
	"testing"

	"tinygpt/data"
	"tinygpt/model"
	"tinygpt/model/modeltest"
)

// stepper returns a function that makes one update of a model of the given width.
func stepper(tb testing.TB, optimiser string, width int) func() {
	c := quick
	c.Steps, c.Optimiser = 1<<30, optimiser
	m := modeltest.New(tb, model.Config{Arch: model.GPT2, Layers: 2, Heads: 2, Width: width, Context: 8, VocabSize: 7, Dropout: 0.1}, 1)
	t := &Trainer{
		Config: c, Model: m,
		Objective: &LanguageModel{Text: counting(100), Order: data.Random, Seed: 1, Accumulation: c.GradientAccumulationSteps},
	}
	return func() {
		if _, err := t.Step(context.Background()); err != nil {
			tb.Fatal(err)
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The allocations of a step don't grow with the model.
func TestStepAllocations(t *testing.T) {
	for _, optimiser := range []string{AdamWName, MuonName} {
		t.Run(optimiser, func(t *testing.T) { stepAllocations(t, optimiser) })
	}
}

func stepAllocations(t *testing.T, optimiser string) {
	perStep := func(width int) float64 {
		step := stepper(t, optimiser, width)
		step() // workers start
		// The minimum of several rounds: packing buffers grow in the first round, or
		// later if a thread gets its first piece of work later.
		const rounds, steps = 5, 10
		least := math.Inf(1)
		for range rounds {
			least = min(least, float64(allocated(func() {
				for range steps {
					step()
				}
			}))/steps)
		}
		return least
	}
	narrow, wide := perStep(16), perStep(128)
	if wide > 1.1*narrow+1024 {
		t.Errorf("a step allocates %.0f bytes at width 16 and %.0f at width 128", narrow, wide)
	}
}

// Memory in use stays the same over 1,000 steps.
func TestFlatMemory(t *testing.T) {
	step := stepper(t, AdamWName, 16)
	inUse := func(steps int) int64 {
		for range steps {
			step()
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := inUse(20)
	if grown := inUse(1000) - before; grown > 256<<10 {
		t.Errorf("1,000 steps leave %d more bytes in use", grown)
	}
}
