package main

import (
	"context"
	"os/exec"
	"time"
)

// command returns a command whose process, with all that it starts, ends with ctx and at the
// latest with this program. Ctrl-C in the terminal reaches this program alone.
func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.SysProcAttr = ownGroup()
	c.Cancel = func() error { kill(c.Process); return nil }
	c.WaitDelay = time.Second // for pipes that a process which got away holds open
	return c
}
