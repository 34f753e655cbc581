package perf

import (
	"runtime/debug"
	"testing"

	"tinygpt/model/kernel"
)

// The peak counts, not what is left at the end; what was allocated before doesn't count.
func TestWatchMemory(t *testing.T) {
	touch := func(mebibytes int) {
		x := kernel.Memory(mebibytes << 18)
		for i := range x {
			x[i] = 1
		}
	}
	touch(96)
	debug.FreeOSMemory()
	grown := WatchMemory()
	if got := grown() >> 20; got > 8 {
		t.Errorf("nothing was allocated: %d MiB", got)
	}
	touch(64)
	debug.FreeOSMemory()
	if got := grown() >> 20; got < 60 || got > 80 {
		t.Errorf("64 MiB were allocated, and freed: %d MiB", got)
	}
}
