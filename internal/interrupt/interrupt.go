// Package interrupt ends long work in good order.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Context returns a context that Ctrl-C (or SIGTERM) ends: the work stops after the step
// that it is at, and keeps what it has. The further signals do the same. A second signal
// kills, as usual. stop is to be called when the work is over.
func Context(parent context.Context, further ...os.Signal) (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(parent, append(further, os.Interrupt, syscall.SIGTERM)...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
