package perf

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// allocations counts, by function of this program, the heap objects that it or what
// it calls has allocated so far.
func allocations() map[string]int64 {
	runtime.GC()
	runtime.GC() // the profile is that of the last but one collection
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

// A steady step allocates nothing but its line of metrics.
func TestSteadyStep(t *testing.T) {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1 // every object
	s, err := NewStepper(tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Run(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var before map[string]int64
	var steps Steps
	for length := 100 * time.Millisecond; steps.Count < 50; length *= 2 { // what begins a slice is little beside so many
		before = allocations()
		if steps, err = s.Run(length); err != nil {
			t.Fatal(err)
		}
	}
	for f, objects := range allocations() {
		perStep := float64(objects-before[f]) / float64(steps.Count)
		if !strings.Contains(f, "metricsLog") && !strings.Contains(f, "perf.allocations") && perStep > 0.5 {
			t.Errorf("%s allocates %.1f objects a step", f, perStep)
		}
	}
}
