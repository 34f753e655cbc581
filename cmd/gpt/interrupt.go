package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// interruptible is the context of long work: Ctrl-C (or SIGTERM) ends it in good
// order, after the step that it is at; a second one kills, as usual. stop is to be
// called when the work is over.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
