package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"tinygpt/train"
)

// interruptible is the context of long work: Ctrl-C (or SIGTERM) ends it in good
// order, after the step that it is at; a second one kills, as usual. stop is to be
// called when the work is over.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// interrupted turns the end of a context into the error of an interrupt.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}
