//go:build unix

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
)

// peakBytes is the largest memory that a process had resident; 0 if that isn't known: a new
// process counts what its parent had until it is another program.
func peakBytes(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	var own syscall.Rusage
	if !ok || syscall.Getrusage(syscall.RUSAGE_SELF, &own) != nil || r.Maxrss <= own.Maxrss {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) << 10
}

// forgetPeak gives up memory that isn't in use and, on Linux, has the system forget that this
// process ever had it, so that peakBytes knows of programs that need less.
func forgetPeak() {
	debug.FreeOSMemory()
	if f, err := os.OpenFile("/proc/self/clear_refs", os.O_WRONLY, 0); err == nil {
		_, _ = f.WriteString("5") // the peak of resident memory: see proc(5)
		f.Close()
	}
}
