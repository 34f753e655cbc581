package commands

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"tinygpt/internal/number"
	"tinygpt/study/perf"
	"tinygpt/train"
)

// settleMemory gives back the garbage of reading texts before a training. Little is
// allocated later, and without this the collector would let the process grow to twice
// its live memory before it ran.
func settleMemory() {
	debug.FreeOSMemory()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > 32<<20 {
		debug.SetGCPercent(10)
	}
}

// memoryReport is a train.Report that measures the memory of a training step.
type memoryReport struct {
	train.Report
	grown func() int64 // from when the weights were all there was
	steps int
	step  int64 // grown by the first steps: the third holds no more
}

func watchMemory(r train.Report) *memoryReport {
	return &memoryReport{Report: r, grown: perf.WatchMemory()}
}

// Step looks before anything is evaluated or written.
func (r *memoryReport) Step(m train.Metrics, p train.Progress) {
	if r.steps++; r.steps <= 2 {
		r.step = r.grown()
	}
	r.Report.Step(m, p)
}

// write prints the memory used apart from the texts, and what was expected.
func (r *memoryReport) write(w io.Writer, expected train.Memory) {
	if r.step == 0 {
		return
	}
	fmt.Fprintf(w, "memory: a step held %s apart from the texts, %s were expected; %s at most, with evaluation, samples and files\n",
		number.Mebibytes(r.step+expected.Weights), number.Mebibytes(expected.Total()-expected.Evaluation), number.Mebibytes(r.grown()+expected.Weights))
}
