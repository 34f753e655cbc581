//go:build unix

// Package handles refuses to go on with fewer file handles than any command needs, before
// a library opens a file: Go's runtime ends with a trace when it can't have the handles by
// which it waits for files.
//
// Go initialises packages in the order of their paths, each after those that it imports
// (https://go.dev/ref/spec#Program_initialization). This one imports syscall alone, so its
// turn is before "unicode", and with it before reflect and all libraries that use it. It
// can't import anything else.
package handles

import "syscall"

// fewest is the number of handles with which a training works: with 8 or 9 it can't write
// its files.
const fewest = 10

func init() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Max >= fewest {
		return // package os raises a limit that is below the hard one
	}
	syscall.Write(2, []byte("gpt: this shell allows fewer than 10 open files, which is too few: raise it with ulimit -n 64\n"))
	syscall.Exit(1)
}
