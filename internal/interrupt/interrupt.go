// Package interrupt ends long work in good order.
package interrupt

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// last is the last signal that ended a context; 0: none has.
var last atomic.Int32

// Context returns a context that Ctrl-C, SIGTERM or the end of the terminal (SIGHUP, unless
// nohup has it ignored) ends: the work stops after the step that it is at, and keeps what it
// has; the context's cause says which signal it was. The further signals do the same. A second
// signal kills, as usual. stop is to be called when the work is over. Ctrl-Z stops the work
// until it is continued; see Now.
func Context(parent context.Context, further ...os.Signal) (ctx context.Context, stop context.CancelFunc) {
	watchStops()
	ctx, cancel := context.WithCancelCause(parent)
	stop = func() { cancel(nil) }
	signals := append(further, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	go func() {
		defer stop()
		defer signal.Stop(received)
		select {
		case s := <-received:
			if number, ok := s.(syscall.Signal); ok {
				last.Store(int32(number))
			}
			cancel(fmt.Errorf("signal received: %v", s))
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// Status is the exit status of a program that the last signal has ended, as shells have it:
// 128 and the signal's number; that of Ctrl-C if there was no signal.
func Status() int {
	if number := last.Load(); number != 0 {
		return 128 + int(number)
	}
	return 128 + int(syscall.SIGINT)
}
