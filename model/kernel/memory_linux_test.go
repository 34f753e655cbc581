package kernel

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// Memory is taken from the system when it is written to, even if the program had other memory
// before.
func TestMemoryIsUntouched(t *testing.T) {
	const n = 16 << 20 // 64 MiB
	resident := func() (bytes int) {
		text, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip("/proc/self/statm: ", err)
		}
		var pages int
		if _, err := fmt.Sscan(string(text), new(int), &pages); err != nil {
			t.Fatal(err)
		}
		return pages * os.Getpagesize()
	}
	write := func(x []float32) {
		for i := range x {
			x[i] = 1
		}
	}
	write(make([]float32, 2*n))
	runtime.GC()
	x := Memory(n)
	before := resident()
	write(x)
	if grown := resident() - before; grown < 4*n/2 { // the system may take other memory back meanwhile
		t.Errorf("%d MiB were written to, which took %d MiB: the others were touched before", 4*n>>20, grown>>20)
	}
	runtime.KeepAlive(x)
}
