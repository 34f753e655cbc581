package kernel

import (
	"sync"
	"unsafe"
)

const (
	cacheLine = 64 / 4      // floats
	hugePage  = 2 << 20 / 4 // floats in a huge page of the processors that this is for
)

// Memory returns n zeros that begin on a cache line. Where the system lets a program
// ask for it, they lie in huge pages: a large matrix read along its columns, or seven
// streams at once as in AdamW, touch more small pages than a core remembers, and a
// core's prefetching ends with a page. Small pieces share pages, and are freed together
// with their neighbours: it is for what lives as long as a model or a graph.
func Memory(n int) []float32 {
	size("Memory", "n", n)
	if n > hugePage/2 {
		return huge(n)
	}
	shared.Lock()
	defer shared.Unlock()
	if n > len(shared.rest) {
		shared.rest = huge(hugePage)
	}
	piece := shared.rest[:n:n]
	shared.rest = shared.rest[min(padded(n, cacheLine), len(shared.rest)):]
	return piece
}

var shared struct {
	sync.Mutex
	rest []float32
}

// huge returns n zeros in huge pages, but for the ends of a number that isn't a multiple.
// Of what it allocates, only what is written to takes memory.
func huge(n int) []float32 {
	x := make([]float32, n+hugePage)
	untouch(x)
	x = x[past(x, hugePage):][:n:n]
	adviseHuge(x[:n/hugePage*hugePage])
	return x
}

// aligned returns n floats that begin on a cache line, as vector loads like it.
func aligned(n int) []float32 {
	x := make([]float32, n+cacheLine)
	return x[past(x, cacheLine):][:n:n]
}

// past returns how many floats of x are before an address that is a multiple of so many.
func past(x []float32, multiple int) int {
	at := int(uintptr(unsafe.Pointer(&x[0])) / 4 % uintptr(multiple))
	return (multiple - at) % multiple
}
