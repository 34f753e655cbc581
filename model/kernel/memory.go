package kernel

import (
	"sync"
	"unsafe"
)

const (
	cacheLine = 64 / 4      // floats
	hugePage  = 2 << 20 / 4 // floats in a huge page
)

// Memory returns n zeros that begin on a cache line. Where the system lets a program ask for
// it, they lie in huge pages. A large matrix read along its columns, or the seven streams of
// AdamW, touch more small pages than a core remembers, and a core's prefetching ends with a
// page. Small slices share pages, which are freed only when none of them is in use: Memory is
// for what lives as long as a model or a graph.
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

// huge returns n zeros in huge pages, apart from the ends that don't fill one. Of what it
// allocates, only what is written to takes memory.
func huge(n int) []float32 {
	x := make([]float32, n+hugePage)
	untouch(x)
	x = x[misaligned(x, hugePage):][:n:n]
	adviseHuge(x[:n/hugePage*hugePage])
	return x
}

// aligned returns n floats that begin on a cache line, which makes vector loads fast.
func aligned(n int) []float32 {
	x := make([]float32, n+cacheLine)
	return x[misaligned(x, cacheLine):][:n:n]
}

// misaligned returns how many leading floats of x to skip so that the rest starts at an address
// that is a multiple of `multiple` floats.
func misaligned(x []float32, multiple int) int {
	at := int(uintptr(unsafe.Pointer(&x[0])) / 4 % uintptr(multiple))
	return (multiple - at) % multiple
}
