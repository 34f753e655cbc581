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
	stops, continues := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTSTP)
	signal.Notify(continues, syscall.SIGCONT)
	go func() {
		for range stops {
			select {
			case <-continues: // of an earlier time
			default:
			}
			start := time.Now()
			syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) // may return before the process stops
			<-continues
			stopped.Add(int64(time.Since(start)))
		}
	}()
})
