//go:build linux && (amd64 || arm64)

package mpi

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Everything that MPI reads or writes after a call has returned lies in memory of its own,
// which lives as long as the process: the garbage collector doesn't know what MPI holds, and
// it gives pages back in a way that the caches of RDMA libraries don't notice.

// allocate returns n zeros of a type without pointers in memory of their own.
func allocate[T any](n int) []T {
	if n == 0 {
		return nil
	}
	b, err := unix.Mmap(-1, 0, n*int(unsafe.Sizeof(*new(T))), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic("mpi: out of memory: " + err.Error())
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

func address[T any](x []T) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(x))) }

// request is a collective operation under way, with the memory that MPI needs for it.
type request struct {
	handle []uint64 // an MPI_Request is its first 4 or 8 bytes
	flag   []int32
	// Lengths and offsets of what is sent to each process and received from each.
	out, outAt, in, inAt []int32
	done                 chan error
}

func newRequest(size int) *request {
	const slots = 4 // handle and flag, on a cache line of their own
	all := allocate[int32](16 + slots*size)
	r := &request{done: make(chan error, 1), flag: all[2:3]}
	r.handle = unsafe.Slice((*uint64)(unsafe.Pointer(&all[0])), 1)
	for i, to := range []*[]int32{&r.out, &r.outAt, &r.in, &r.inAt} {
		*to = all[16+i*size : 16+(i+1)*size]
	}
	return r
}

// lay sets lengths and the offsets that follow from them, of pieces one after another.
func lay(to, at []int32, lengths []int) {
	sum := 0
	for i, n := range lengths {
		to[i], at[i] = int32(n), int32(sum)
		sum += n
	}
}
