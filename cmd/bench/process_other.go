//go:build !unix

package main

import (
	"os"
	"syscall"
)

// freeze does nothing: this system has no signal that stops a process. So a peer whose
// threads spin after a call takes time from the others.
func freeze(*os.Process) error { return nil }

func thaw(*os.Process) error { return nil }

func kill(p *os.Process) { p.Kill() }

func ownGroup() *syscall.SysProcAttr { return nil }
