package metric

import (
	"runtime"
	"testing"
)

// Many classes take memory for what occurs, not for all pairs of them, and a sentence of many
// entities time in proportion.
func TestLarge(t *testing.T) {
	const n = 20_000
	classes, truth, tags := make([]string, n), make([]int, n), make([]string, 10*n)
	for i := range classes {
		truth[i] = i
	}
	for i := range tags {
		tags[i] = "B-x"
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := NewConfusion(classes, truth, truth)
	if got := []float64{c.Accuracy(), c.MacroF1(), c.Matthews()}; got[0] != 1 || got[1] != 1 || got[2] != 1 {
		t.Error(got)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<26 {
		t.Errorf("%d bytes for %d classes", taken, n)
	}
	var e Entities
	if e.Add(tags, tags); e != (Entities{10 * n, 10 * n, 10 * n}) {
		t.Error(e)
	}
}
