package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"tinygpt/internal/interrupt"
	"tinygpt/train"
)

// interruptible is the context of a command's long work, which Ctrl-C ends; see
// interrupt.Context.
func interruptible(c *cli.Context) (ctx context.Context, stop context.CancelFunc) {
	return interrupt.Context(c.Context)
}

// interrupted turns the end of a context into the error of an interrupt.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}
