package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
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

// buildGPT builds this program in the folder dir, and returns its path.
func buildGPT(ctx context.Context, dir string) (string, error) {
	gpt := filepath.Join(dir, "gpt")
	if out, err := command(ctx, "go", "build", "-o", gpt, "tinygpt/cmd/gpt").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building gpt (run this in the project's folder): %w\n%s", err, out)
	}
	return gpt, nil
}
