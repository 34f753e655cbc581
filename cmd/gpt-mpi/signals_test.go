package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begin starts a command that trains the run in a folder, and returns when it has made a few
// steps. lines returns the lines that gpt itself has written as errors, after the end.
func begin(t *testing.T, c *exec.Cmd, dir string, step int) (lines func() []string) {
	t.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	waitForStep(t, dir, step)
	return func() []string { return regexp.MustCompile(`(?m)gpt: .*$`).FindAllString(out.String(), -1) }
}

// goesOn checks that a run has no temporary files and that one process makes two more steps
// of it. It removes the run.
func goesOn(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	before := lastStep(dir)
	gpt(t, nil, 1, "train", "--resume", "--run", dir, "--set", fmt.Sprint("train.steps=", before+2))
	if got := lastStep(dir); got != before+2 {
		t.Errorf("%s was resumed to step %d, want %d", dir, got, before+2)
	}
	os.RemoveAll(dir)
}

// Ctrl-C and SIGTERM to the launcher: the step is finished, the run saved and ended within
// seconds, with one line, and it goes on.
func TestSignals(t *testing.T) {
	inFolder(t)
	for i := range implementations {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			c := command(t, &implementations[i], 4, "train", "--config", "toy.yaml", "--run", "asked", "--set", "train.steps=100000")
			lines := begin(t, c, "asked", 5)
			c.Process.Signal(s)
			start := time.Now()
			err := c.Wait()
			all := lines()
			said := len(all) == 1 && strings.Contains(all[0], "asked to stop") || len(all) == 0 && implementations[i].quiet
			if err == nil || !said {
				t.Errorf("%s, %v: %v, %q", implementations[i].name, s, err, all)
			}
			took := time.Since(start)
			if took > 20*time.Second { // 3 on an idle computer
				t.Errorf("%s, %v: over only after %v", implementations[i].name, s, took)
			}
			t.Logf("%s, %v: over after %v, %v", implementations[i].name, s, took.Round(10*time.Millisecond), err)
			goesOn(t, "asked")
		}
	}
}

// A signal at any time of the start leaves no process that waits for ever, and no temporary
// files. MPICH's launcher loses a signal that comes before it has started anything, so the
// run may also go on to its end.
func TestSignalAtStart(t *testing.T) {
	inFolder(t)
	for k := range 4 * len(implementations) {
		i := &implementations[k%len(implementations)]
		c := command(t, i, 4, "train", "--config", "toy.yaml", "--run", "start")
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		after := rand.N(time.Second)
		time.Sleep(after)
		c.Process.Signal(syscall.SIGINT)
		start := time.Now()
		err := c.Wait()
		t.Logf("%s, signal after %v: over after %v, %v", i.name, after.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), err)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("over only after %v:\n%s", took, out.String())
		}
		if left, _ := filepath.Glob("start/*.tmp*"); len(left) > 0 {
			t.Errorf("temporary files are left: %v", left)
		}
		if n := strings.Count(out.String(), "gpt: "); n > 1 {
			t.Errorf("%d lines:\n%s", n, out.String())
		}
		os.RemoveAll("start")
	}
}
