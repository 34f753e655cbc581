package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for huge pages, before x is touched. It is a hint: a system without
// them says no, and nothing is lost.
func adviseHuge(x []float32) {
	if len(x) > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)), unix.MADV_HUGEPAGE)
	}
}
