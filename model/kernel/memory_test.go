package kernel

import (
	"slices"
	"testing"
	"unsafe"
)

// Slices of every size begin on a cache line, are zero, and don't overlap.
func TestMemory(t *testing.T) {
	var pieces [][]float32
	for _, n := range []int{0, 1, 15, 16, 17, 1000, hugePage / 2, hugePage/2 + 1, hugePage - 1, hugePage, 3*hugePage + 5, 17, 100000, 400000, 1} {
		x := Memory(n)
		if len(x) != n || cap(x) != n {
			t.Fatalf("Memory(%d) has length %d and capacity %d", n, len(x), cap(x))
		}
		if n > 0 && uintptr(unsafe.Pointer(&x[0]))%64 != 0 {
			t.Errorf("Memory(%d) begins at %p, not on a cache line", n, &x[0])
		}
		if i := slices.IndexFunc(x, func(v float32) bool { return v != 0 }); i >= 0 {
			t.Fatalf("Memory(%d)[%d] is %v", n, i, x[i])
		}
		for i := range x {
			x[i] = float32(len(pieces))
		}
		pieces = append(pieces, x)
	}
	for p, x := range pieces {
		if i := slices.IndexFunc(x, func(v float32) bool { return v != float32(p) }); i >= 0 {
			t.Fatalf("piece %d of %d floats: element %d belongs to piece %v too", p, len(x), i, x[i])
		}
	}
}
