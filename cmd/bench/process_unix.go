//go:build unix

package main

import (
	"os"
	"syscall"
)

// freeze stops all threads of a process.
func freeze(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// thaw lets the threads of a frozen process go on.
func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// kill ends a process of a group of its own, with its children.
func kill(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
