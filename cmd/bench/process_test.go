//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tinygpt/internal/terminal"
)

// A process ends with the context, even if it is frozen, and so do those that it has started.
func TestCommandEnds(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	// The answer to the hello is the number of a process that the shell has started.
	w, err := start(ctx, nil, "sh", "-c", `echo '{"version": "1"}'; read line; sleep 600 & echo "{\"calls\": $!}"; wait`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.measure("")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.command.Wait(); err == nil {
		t.Error("the process has ended without an error")
	}
	for _, pid := range []int{w.command.Process.Pid, got.Calls} {
		for end := time.Now().Add(10 * time.Second); running(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("process %d is still there", pid)
			}
		}
	}
}

// running says whether a process is there and hasn't ended.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(state), "Z")
}

// What whole rounds have measured is kept when a later one is interrupted.
func TestTurnsInterrupted(t *testing.T) {
	interrupted := errors.New("interrupted")
	turns := 0
	program := func(name string, seconds float64) *contender {
		return &contender{row: stepRow{Name: name}, measure: func() (slice, error) {
			if turns++; turns > 5 { // in the third round, after one turn
				return slice{}, interrupted
			}
			return slice{Calls: 1, Seconds: seconds, Spent: map[string]float64{"all": seconds}}, nil
		}}
	}
	b := &bench{rounds: 4, progress: func() *terminal.Stages { return terminal.NewStages(io.Discard) }}
	list := []*contender{program("this program", 0.5), program("peer", 1)}
	if len(rows(list)) != 0 {
		t.Error("rows before the first round")
	}
	if err := b.turns("", list, func() error { return nil }); !errors.Is(err, interrupted) {
		t.Fatal(err)
	}
	got := rows(list)
	if len(got) != 2 || got[0].Ms.Median != 500 || got[1].Ratio.Median != 2 {
		t.Errorf("%+v", got)
	}
}
