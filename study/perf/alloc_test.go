package perf

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// allocations returns, for each function of this program, the number of heap objects that
// it, or library code it calls, has allocated so far.
func allocations() map[string]int64 {
	runtime.GC()
	runtime.GC() // the profile is as of the collection before the last one
	records := make([]runtime.MemProfileRecord, 1<<14)
	n, _ := runtime.MemProfile(records, true)
	sums := map[string]int64{}
	for _, r := range records[:n] {
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); strings.HasPrefix(f.Function, "tinygpt/") {
				sums[f.Function] += r.AllocObjects
				break
			}
		}
	}
	return sums
}

// A step allocates nothing once everything is in place.
func TestSteadyStep(t *testing.T) {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1 // every object
	s, err := NewStepper(tiny)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var before map[string]int64
	var steps Steps
	for length := 100 * time.Millisecond; steps.Count < 50; length *= 2 { // enough steps to make what a slice itself allocates negligible
		before = allocations()
		if steps, err = s.Run(length); err != nil {
			t.Fatal(err)
		}
	}
	for f, objects := range allocations() {
		perStep := float64(objects-before[f]) / float64(steps.Count)
		if !strings.Contains(f, "perf.allocations") && perStep > 0.5 {
			t.Errorf("%s allocates %.1f objects a step", f, perStep)
		}
	}
}
