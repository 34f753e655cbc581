//go:build unix

package interrupt

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// watchStops stops the process at Ctrl-Z (SIGTSTP), as the system does, and notes for how
// long.
var watchStops = sync.OnceFunc(func() {
	if signal.Ignored(syscall.SIGTSTP) {
		return
	}
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTSTP)
	go func() {
		for range stops {
			start := time.Now()
			syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) // returns when the process goes on
			stopped.Add(int64(time.Since(start)))
		}
	}()
})
