package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/interrupt"
	"tinygpt/train"
)

// interruptible is the context of a command's long work, which Ctrl-C ends; see
// interrupt.Context.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	if crew == nil {
		return interrupt.Context(c.Context)
	}
	begun()
	ctx, stop = context.WithCancel(c.Context) // which a signal ends
	context.AfterFunc(c.Context, func() {
		if ctx.Err() == nil || context.Cause(ctx) != context.Canceled {
			fmt.Fprintln(c.App.ErrWriter, "gpt: asked to stop: after this step, if all processes get to its end; go on with --resume")
		}
	})
	return ctx, stop
}

// interrupted turns the end of a context into the error of an interrupt.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}
