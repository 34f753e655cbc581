//go:build unix && !linux

package main

import "syscall"

// ownGroup gives a process a group of its own, for kill.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
