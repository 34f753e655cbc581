//go:build unix

package commands

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// extraSignals are those that a shared training stops at besides the usual ones. Slurm
// sends SIGUSR1 before the time of a job is over, if it is asked to.
func extraSignals() []os.Signal { return []os.Signal{syscall.SIGUSR1} }

// replace runs another program in place of this one, with the same environment and open
// files.
func replace(path string, args []string) error { return syscall.Exec(path, args, os.Environ()) }

// end ends this process by a signal.
func end(s syscall.Signal) {
	signal.Reset(s)
	if syscall.Kill(os.Getpid(), s) == nil {
		time.Sleep(time.Second)
	}
}
