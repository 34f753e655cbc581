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

// settleMemory gives back the garbage of reading texts before a training. What comes then
// is little: without this the collector would let a process with much that lives grow to
// twice as much.
func settleMemory() {
	debug.FreeOSMemory()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > 32<<20 {
		debug.SetGCPercent(10)
	}
}

// memoryReport is a Report that watches what a training step holds.
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

// write says what was held apart from the texts, and what was expected.
func (r *memoryReport) write(w io.Writer, expected train.Memory) {
	if r.step == 0 {
		return
	}
	fmt.Fprintf(w, "memory: a step held %s apart from the texts, %s were expected; %s at most, with evaluation, samples and files\n",
		number.Mebibytes(r.step+expected.Weights), number.Mebibytes(expected.Total()-expected.Evaluation), number.Mebibytes(r.grown()+expected.Weights))
}
