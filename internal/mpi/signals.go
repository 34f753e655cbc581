//go:build linux && (amd64 || arm64)

package mpi

import (
	"syscall"
	"unsafe"
)

// signalAction is the kernel's struct sigaction.
type signalAction [4]uint64

// signalActions returns what is done with each signal.
func signalActions() (all [65]signalAction) {
	for s := 1; s < len(all); s++ {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), 0, uintptr(unsafe.Pointer(&all[s])), 8, 0, 0)
	}
	return all
}

// restoreSignals puts back what was done with each signal before the library was opened.
// UCX takes SIGSEGV, SIGBUS, SIGFPE and SIGILL for itself, and MPICH and UCX take SIGHUP and
// SIGUSR1. With their handlers a nil dereference couldn't be recovered from, and a handler
// would run on the small stack of a goroutine.
func restoreSignals(before [65]signalAction) {
	for s, now := range signalActions() {
		if s > 0 && now != before[s] {
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&before[s])), 0, 8, 0, 0)
		}
	}
}
