package kernel

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks the system for huge pages, before x is touched. Where there are none, nothing
// happens.
func adviseHuge(x []float32) {
	if len(x) > 0 {
		_ = unix.Madvise(bytesOf(x), unix.MADV_HUGEPAGE)
	}
}

// untouch gives the pages of x, which holds zeros, back to the system. (The allocator
// has touched them if the memory was in use before.) The next access finds zeros again,
// in huge pages if these were asked for.
func untouch(x []float32) {
	page := os.Getpagesize() / 4
	if from := misaligned(x, page); from+page <= len(x) {
		_ = unix.Madvise(bytesOf(x[from:from+(len(x)-from)/page*page]), unix.MADV_DONTNEED)
	}
}

func bytesOf(x []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)) }
