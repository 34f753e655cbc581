package kernel

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for huge pages, before x is touched. It is a hint: a system without
// them says no, and nothing is lost.
func adviseHuge(x []float32) {
	if len(x) > 0 {
		_ = unix.Madvise(bytesOf(x), unix.MADV_HUGEPAGE)
	}
}

// untouch takes the pages from zeros: the allocator touches memory that was in use before,
// to clear it. The next to touch them gets zeros again, in huge pages if advised.
func untouch(x []float32) {
	page := os.Getpagesize() / 4
	if from := past(x, page); from+page <= len(x) {
		_ = unix.Madvise(bytesOf(x[from:from+(len(x)-from)/page*page]), unix.MADV_DONTNEED)
	}
}

func bytesOf(x []float32) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x)) }
