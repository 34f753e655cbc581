package main

import "syscall"

// ownGroup gives a process a group of its own, for kill, and has it end with this program,
// even if that is killed: a frozen process would stay for ever.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
